import {beforeEach, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {signalWatchdog} from '../_helpers/lab/watchdogs.ts';

// A folder in memory would be refused where the boot is to load the rules from it.
const BEFORE = ['--role', 'server', '--open', '22/tcp', '--boot', 'none', '--published', 'policy'];
/** Its rules take more than a page of the disk; its policy does not. */
const AFTER = [
	...['--boot', 'none', '--role', 'server', '--open'],
	Array.from({length: 60}, (_, index) => `${2000 + index}/tcp from 198.51.100.${index}`).join(','),
];
/** A change that waits long, and takes rules of others away. */
const FLUSHING = [...AFTER, '--confirm-within', '600', '--existing', 'flush-input'];

/** The folder on a disk of its own, on which so many pages are free. */
const disk = (folder: string, free: number) => `
cp -a ${folder} ${folder}.old
mount -t tmpfs -o size=256k,mode=755 fww-test ${folder}
cp -a ${folder}.old/. ${folder}
dd if=/dev/zero of=${folder}/fill bs=4096 2>/dev/null || true
truncate -s -$((${free} * 4096)) ${folder}/fill
rm -r ${folder}.old`;

describe.each(mainly('nft'))('a disk that takes no more, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host({backend});
		await wizardDoes(host, 'apply', ...BEFORE);
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
	});

	const state = async () => {
		const {rules, files} = await readState(host);
		return {rules, files: files.replace(/\n==> [^\n]*\/fill <==\n[\s\S]*?(?=\n==>|$)/, '')};
	};

	test.each([
		{
			where: 'for what a change begins with',
			spoil: disk('/var/lib/fw-wizard', 0),
			status: 3,
			says: /^fw-wizard: \/var\/lib\/fw-wizard\/changes\/2: no space left on device\nMake room on that disk, /,
		},
		{
			where: 'in the middle of what the next boot loads',
			spoil: disk('/etc/fw-wizard', 1),
			status: 4,
			says: /^fw-wizard: \/etc\/fw-wizard\/floor: no space left on device\nRolled back\. .* Make room /,
		},
		{
			where: 'since it is mounted for reading',
			spoil: 'mount --bind /etc /etc && mount -o remount,bind,ro /etc',
			status: 4,
			says: /^fw-wizard: \/etc\/fw-wizard\/policy\.json: read-only file system\nRolled back\. .* Make it writable/,
		},
	])('$where: rolls back, loses nothing, and says where', async ({spoil, status, says}) => {
		await host.must('sh', ['-ec', spoil]);
		const before = await state();
		const result = await wizard(host, 'apply', ...AFTER);
		expect(result).toMatchObject({status, stdout: '', stderr: expect.stringMatching(says)});
		expect(result.stderr.split('\n')).toHaveLength(3);
		expect(await state()).toEqual(before);
		expect((await wizard(host, 'check')).stdout).not.toMatch(/failed {2}the (running|restore)/);
	});

	test('while a change waits: it is rolled back in time, and not kept afterwards', async () => {
		const before = await state();
		const flags = ['--confirm-within', '10'];
		const applying = await startApply(host, ...AFTER, ...flags);
		const remount = async (mode: 'ro' | 'rw') =>
			host.must('mount', ['-o', `remount,${mode}`, '/var/lib']);
		await remount('ro');
		expect(await wizard(host, 'confirm', 'keep')).toMatchObject({
			status: 3,
			stderr: expect.stringMatching(
				/^fw-wizard: \/var\/lib\/fw-wizard\/changes\/2: read-only file system\n/,
			),
		});
		applying.kill();
		expect(await whatStays(host, undefined, 30_000)).toEqual([]);
		expect((await state()).rules).toBe(before.rules);
		expect((await wizard(host, 'undo')).stderr).toMatch(
			/^fw-wizard: \/var\/lib\/fw-wizard\/changes\/2 cannot be written to\nRolled back\./,
		);
		await remount('rw');
		expect(await wizard(host, 'confirm', 'keep')).toMatchObject({
			status: 4,
			stderr: expect.stringMatching(
				/^fw-wizard: Change 2 was not confirmed in time and is rolled back\n/,
			),
		});
		expect(await state()).toEqual(before);
	});

	test('because all of /etc is read-only: it is said so, and nothing stays', async () => {
		const fresh = await lab.host({backend});
		await fresh.must('sh', ['-ec', 'mount --bind /etc /etc; mount -o remount,bind,ro /etc']);
		expect(await wizard(fresh, 'apply', ...BEFORE, '--yes')).toMatchObject({
			status: 4,
			stderr: expect.stringContaining(
				'fw-wizard: /etc/fw-wizard/policy.json: read-only file system\n',
			),
		});
		expect(await fresh.must('iptables', ['-S'])).not.toContain('FW-WIZARD');
	});

	test('or is emptied by hand while a change waits: it is rolled back at once', async () => {
		const before = (await state()).rules;
		const applying = await startApply(host, ...FLUSHING);
		await host.must('rm', ['-r', '/var/lib/fw-wizard']);
		applying.kill();
		expect(await whatStays(host)).toEqual([]);
		await host.must('mkdir', ['-m', '700', '/var/lib/fw-wizard']);
		await host.must('touch', ['/var/lib/fw-wizard/journal']);
		expect((await state()).rules).toBe(before);
	});

	test('the same where its watchdog is stopped: the program does it, and says so', async () => {
		const before = (await state()).rules;
		const applying = await startApply(host, ...FLUSHING);
		expect((await state()).rules).not.toBe(before);
		await signalWatchdog(host, 'SIGSTOP');
		await host.must('rm', ['-r', '/var/lib/fw-wizard']);
		expect(await applying.ended).toBe(4);
		expect(applying.output()).toContain('is rolled back');
		await host.must('mkdir', ['-m', '700', '/var/lib/fw-wizard']);
		await host.must('touch', ['/var/lib/fw-wizard/journal']);
		expect((await state()).rules).toBe(before);
		await signalWatchdog(host, 'SIGKILL');
	});

	test('when it is confirmed from elsewhere: both are told', async () => {
		await host.must('sh', ['-ec', disk('/etc/fw-wizard', 1)]);
		const before = await state();
		const applying = await startApply(host, ...AFTER, '--confirm-within', '60');
		const {status, stderr} = await wizard(host, 'confirm', 'keep');
		expect(status).toBe(4);
		expect(stderr).toContain('floor: no space left on device');
		expect(await applying.ended).toBe(4);
		expect(applying.output()).not.toContain('Kept');
		expect(await state()).toEqual(before);
	});
});
