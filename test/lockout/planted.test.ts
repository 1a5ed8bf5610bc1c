import path from 'node:path';
import process from 'node:process';
import {beforeEach, describe, expect, test} from 'vitest';
import {RUN_RESTORE} from '../../source/persistence/init/run-restore.ts';
import {resum} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';

const STATE = '/var/lib/fw-wizard';
const SERVER = ['--role', 'server', '--open', '22/tcp'];

/** A change that is to make root write the file $2, in the folder $1, by its script or by its record. */
const PLANT = `
mkdir -p "$1/changes/1"
cd "$1/changes/1"
echo "touch $2" >rollback
: >"$3"
: >loaded
command='[["touch","'$2'"]]'
printf '{"id":1,"time":"","who":"","sessionKey":"","connections":[],"summary":"","until":9e9,"bootId":"%s","keep":{"files":{},"before":[],"after":%s},"undo":{"files":{},"before":[],"after":%s}}' \\
	"$(cat /proc/sys/kernel/random/boot_id)" "$command" "$command" >meta.json
chown -R nobody "$1"`;

describe('what others than root have planted', () => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host();
	});

	test.each([
		{state: 'pending', args: ['apply', ...SERVER]},
		{state: 'pending', args: ['confirm', 'keep']},
		{state: 'kept', args: ['check']},
		{state: 'done', args: ['undo']},
		{state: 'done', args: ['undo', '--all']},
	])('is not run as root: $args.0 with a change that is $state', async ({state, args}) => {
		const trap = path.join(host.folder, 'trap');
		await host.must('sh', ['-ec', PLANT, 'sh', STATE, trap, state]);
		expect(await wizard(host, ...args)).toMatchObject({
			status: 3,
			stdout: '',
			stderr: expect.stringMatching(
				/^fw-wizard: \/var\/lib\/fw-wizard is not owned by root\nNothing in it [^\n]*\n$/,
			),
		});
		expect(await host.run('ls', [trap])).toMatchObject({status: 2});
		expect(await host.must('iptables-save', [])).not.toContain('FW-WIZARD');
	});

	test.each([
		{
			what: 'the script',
			spoil: 'chmod 757 /etc/fw-wizard/restore',
			culprit: '/etc/fw-wizard/restore',
		},
		{
			what: 'the floor',
			spoil: 'chown nobody /etc/fw-wizard/floor',
			culprit: '/etc/fw-wizard/floor',
		},
		{what: 'their folder', spoil: 'chmod 777 /etc/fw-wizard', culprit: '/etc/fw-wizard'},
		{what: 'the folder above', spoil: 'chmod 775 /etc', culprit: '/etc'},
		{
			what: 'where a link leads',
			spoil:
				'mv /etc/fw-wizard /var/lib/moved; chmod 777 /var/lib/moved; ln -s /var/lib/moved /etc/fw-wizard',
			culprit: '/var/lib/moved',
		},
	])('is not run for a rehearsal of the boot: $what', async ({spoil, culprit}) => {
		await wizardDoes(host, 'apply', ...SERVER);
		const trap = path.join(host.folder, 'trap');
		const restore = '/etc/fw-wizard/restore';
		const planted = resum(
			`${await host.must('cat', [restore])}\n`.replace(/^main$/m, `touch ${trap}; main`),
		);
		await host.must('tee', [restore], {input: planted});
		// It would be run, and so the trap is one.
		await host.run('unshare', ['--net', 'sh', '-c', RUN_RESTORE]);
		await host.must('rm', [trap]);
		await host.must('sh', ['-ec', spoil]);
		expect(await wizard(host, 'prove', '--of', 'boot', ...SERVER)).toMatchObject({
			status: 3,
			stderr: expect.stringMatching(
				new RegExp(`^fw-wizard: ${culprit} (is not owned|can be written)[^\\n]*\\n`),
			),
		});
		const {status, items} = await readChecklist(host);
		expect(status).toBe(1);
		expect(items.files?.cause).toMatch(/is not owned by root|can be written by others|plain/);
		expect(items.rehearsal).toMatchObject({
			state: 'open',
			cause: expect.stringContaining(`not tried: ${culprit} `),
		});
		expect(await host.run('ls', [trap])).toMatchObject({status: 2});
	});

	test('does not hold up the boot: no other user can open what it locks', async () => {
		await wizardDoes(host, 'apply', ...SERVER);
		for (const file of ['/etc/fw-wizard/restore', '/etc/fw-wizard/floor']) {
			const user = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
			const {status, stderr} = await host.run('setpriv', [...user, 'flock', '-n', file, 'true']);
			expect({status, stderr}).toEqual({
				status: 66,
				stderr: expect.stringContaining('Permission denied'),
			});
		}
	});

	test('is not believed in a single change either', async () => {
		await wizardDoes(host, 'apply', ...SERVER);
		await host.must('chmod', ['777', `${STATE}/changes/1`]);
		const {status, stderr} = await wizard(host, 'undo');
		expect(status).toBe(3);
		expect(stderr).toMatch(
			/^fw-wizard: \/var\/lib\/fw-wizard\/changes\/1 can be written by others than root\n/,
		);
	});

	test.each([
		{what: STATE, says: /^fw-wizard: \/var\/lib\/fw-wizard is something else than a folder\n/},
		{
			what: '/etc/fw-wizard',
			says: /^fw-wizard: \/etc\/fw-wizard is something else than a folder\n/,
		},
		{
			what: `${STATE}/lock`,
			says: /^fw-wizard: \/var\/lib\/fw-wizard\/lock is something else than a file\n/,
		},
	])('is not followed: a link at $what', async ({what, says}) => {
		const target = path.join(host.folder, 'target');
		await host.must('install', ['-d', '-o', 'nobody', target]);
		await host.must('mkdir', ['-p', path.dirname(what)]);
		await host.must('ln', ['-s', target, what]);
		const {status, stderr} = await wizard(host, 'apply', ...SERVER);
		expect({status, stderr}).toEqual({status: 3, stderr: expect.stringMatching(says)});
		expect(await host.must('ls', ['-A', target])).toBe('');
	});

	test('does not hold it up: pipes in the place of lock and journal', async () => {
		await host.must('mkdir', ['-m', '700', STATE]);
		await host.must('mkfifo', [`${STATE}/lock`]);
		expect((await wizard(host, 'apply', ...SERVER)).stderr).toMatch(/lock is something else/);
		await host.must('rm', [`${STATE}/lock`]);
		await host.must('mkfifo', [`${STATE}/journal`]);
		expect(await wizardDoes(host, 'apply', ...SERVER)).toContain('Confirmed as change 1');
	});

	test('is found by its own path alone: not by PATH', async () => {
		const bin = path.join(host.folder, 'bin');
		const names = [
			'iptables',
			'iptables-restore',
			'iptables-save',
			'sh',
			'flock',
			'cat',
			'unshare',
		];
		const script = `mkdir "$1"; for name in ${names.join(' ')}; do printf '#!/bin/sh\\n: >%s/run' "$1" >"$1/$name"; chmod 755 "$1/$name"; done`;
		await host.must('sh', ['-ec', script, 'sh', bin]);
		await host.must('env', [
			`PATH=${bin}:/usr/bin`,
			process.execPath,
			CLI,
			'apply',
			...SERVER,
			'--yes',
		]);
		expect(await host.run('ls', [`${bin}/run`])).toMatchObject({status: 2});
	});

	test.each(['', 'x', 'null', '{"outside":["a","b"],"scratch":"/etc","interfaces":[]}'])(
		'is no rehearsal: FW_WIZARD_REHEARSAL=%s',
		async (ticket) => {
			const words = [`FW_WIZARD_REHEARSAL=${ticket}`, process.execPath, CLI, 'apply', ...SERVER];
			const {status, stderr} = await host.run('env', [...words, '--yes']);
			expect(status).toBe(3);
			expect(stderr).toMatch(
				/^fw-wizard: FW_WIZARD_REHEARSAL is set, but this is the real machine\nUnset it/,
			);
		},
	);

	test.each(['/dev/zero', '/etc', '/nowhere'])('is no policy: %s', async (file) => {
		const {status, stderr} = await wizard(host, 'apply', '--policy', file);
		expect(status).toBe(2);
		expect(stderr).toMatch(/^fw-wizard: The policy file cannot be read: [^\n]*\n[^\n]*\n$/);
	});
});

describe('an ordinary user on a machine that root has given a firewall', () => {
	const lab = useLab();

	test('rehearses from the beginning, and touches nothing', async () => {
		const host = await lab.host();
		await wizardDoes(host, 'apply', ...SERVER);
		const before = await readState(host);
		const program = path.join(host.folder, 'program');
		await host.must('cp', ['-r', path.dirname(CLI), program]);
		await host.must('chmod', ['-R', 'a+rX', host.folder]);
		const user = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
		const rehearse = async (...args: readonly string[]) =>
			host.must('setpriv', [
				...[...user, process.execPath, path.join(program, 'cli.js')],
				...[...args, '--rehearse'],
			]);
		expect(await rehearse('apply', ...SERVER, '--yes')).toContain('Confirmed as change 1');
		expect(await rehearse('undo', '--list')).toBe('No change is remembered.\n');
		expect(await readState(host)).toEqual(before);
	});
});

describe.each(['pending', 'kept', 'done'])('the damaged record of a change that is %s', (state) => {
	const lab = useLab();

	test.each(['null', '{"id":2,"keep":null}'])('reading %s', async (record) => {
		const host = await lab.host();
		await wizardDoes(host, 'apply', ...SERVER);
		const before = await readState(host);
		const applying = await startApply(
			host,
			'--role',
			'workstation',
			'--no-open',
			'--confirm-within',
			'3600',
		);
		applying.kill();
		const script = `cd ${STATE}/changes/2; mv -n pending ${state}; printf %s "$1" >meta.json`;
		await host.must('sh', ['-c', script, 'sh', record]);
		expect(await wizardDoes(host, 'undo', '--list')).toMatch(/^ +1 [^\n]*\n$/);
		await wizard(host, 'check');
		// What was not done is rolled back, by its script; and nothing stands in the way of the next.
		if (state !== 'done') {
			expect((await readState(host)).rules).toBe(before.rules);
		}

		expect(await wizardDoes(host, 'apply', ...SERVER)).toContain('Confirmed as change 3');
		expect((await readState(host)).rules).toBe(before.rules);
		expect(await whatStays(host)).toEqual([]);
	});
});
