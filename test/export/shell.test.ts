import {existsSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {planForOthers, writtenFiles} from '../../source/export/boot.ts';
import {FAMILIES} from '../../source/lib/network.ts';
import {planPersistence} from '../../source/persistence/plan.ts';
import {SUM_LINE} from '../../source/persistence/restore-script.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {compilePolicy} from '../../source/ruleset/build.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {resum} from '../_helpers/lab/boot-script.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, IPV6, joinedPair, OUTSIDE} from '../_helpers/lab/pair.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {scan} from '../_helpers/traffic/scan.ts';
import {FLAGS, OPEN, OPEN_INSIDE, TYPED} from '../_helpers/ui/journey.ts';
import {resumExported, SCRIPT, STATE} from './exported.ts';

/** The files that watch over the loaded rules, which are not exported. */
const WATCH = /\/watch$|fw-wizard-(?:watch|look)\./;

const POLICY = completePolicy({
	role: 'server',
	verdict: 'reject',
	helpers: ['ftp'],
	openings: parseOpenings(TYPED, OWN_SERVICES),
});

describe.each(mainly('nft'))('export shell, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		// The machine's own /run stays out of it.
		await target.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		const text = await wizardDoes(target, 'export', 'shell', ...FLAGS);
		writeFileSync(inView(target, SCRIPT), text);
	});

	/** What a machine looks like on which another policy was kept before. */
	beforeEach(async () => {
		await target.run('sh', [SCRIPT, 'remove']);
		await wizardDoes(target, 'apply', '--role', 'server', '--open', '25/tcp', '--log');
	});

	const run = async (words: readonly string[], seconds = 60, shell: readonly string[] = ['sh']) =>
		target.run('env', [`SECONDS_TO_CONFIRM=${seconds}`, ...shell, SCRIPT, ...words]);
	const etc = async () =>
		target.must('sh', [
			'-c',
			'cd /etc && find fw-wizard systemd/system -type f | sort | xargs sha256sum',
		]);

	test('loads exactly the rules of the policy, and writes nothing before it is kept', async () => {
		const before = await etc();
		const {status, stderr} = await run([]);
		expect(stderr).toMatch(
			/^fw-wizard: loaded\. The old rules are restored in (60|59|58) s\..*keep\n$/,
		);
		expect(status).toBe(0);
		const other = await lab.host({backend});
		await wizardDoes(other, 'apply', ...FLAGS);
		expect(await readSaves(target)).toEqual(await readSaves(other));
		expect(await etc()).toBe(before);
		for (const [{target: address}, letIn] of [
			[INSIDE, OPEN_INSIDE],
			[OUTSIDE, OPEN],
			[IPV6, OPEN],
		] as const) {
			const {ports} = await scan(probe, address, ['-sS', '-p', '1-10000'], 'tcp');
			expect(ports).toEqual({closed: letIn});
		}

		expect(await run([])).toMatchObject({status: 3, stderr: expect.stringContaining('another')});
		expect(await run(['undo'])).toMatchObject({status: 0});
	});

	test('brings the old rules back when nobody keeps them, also without a terminal', async () => {
		const before = await readSaves(target);
		expect(await run([], 2)).toMatchObject({status: 0});
		expect(await readSaves(target)).not.toEqual(before);
		await vi.waitFor(async () => expect(await readSaves(target)).toEqual(before), {
			timeout: 20_000,
			interval: 500,
		});
		await vi.waitFor(() => expect(existsSync(inView(target, STATE))).toBe(false), {
			timeout: 10_000,
		});
		expect(await run(['keep'])).toMatchObject({
			status: 1,
			stderr: 'fw-wizard: nothing waits to be kept\n',
		});
	});

	test('undone, all is as before, also where there was nothing', async () => {
		const before = await readSaves(target);
		await run([]);
		expect(await run(['undo'])).toMatchObject({status: 0});
		expect(await readSaves(target)).toEqual(before);
		await wizardDoes(target, 'undo', '--all');
		const bare = await readSaves(target);
		await run([]);
		expect(await run(['undo'])).toMatchObject({status: 0});
		expect(rulesOf(await readSaves(target))).toEqual(rulesOf(bare));
	});

	test('kept, it stays, and the next boot loads what our own would', async () => {
		await run([], 3);
		expect(await run(['status'])).toMatchObject({status: 1});
		expect(await run(['keep'])).toMatchObject({status: 0});
		expect(await run(['status'])).toMatchObject({status: 0});
		const loaded = await readSaves(target);
		await delay(4000);
		expect(await readSaves(target)).toEqual(loaded);

		const compiled = compilePolicy(POLICY, {families: FAMILIES});
		const {files} = planForOthers(compiled).keep;
		for (const {file, text, mode} of writtenFiles({files, before: [], after: []})) {
			expect(readFileSync(inView(target, file), 'utf8')).toBe(text);
			expect((statSync(inView(target, file)).mode & 0o7777).toString(8)).toBe(`${Number(mode)}`);
		}

		// The same as on this machine, but for the paths of its programs.
		const own = planPersistence(compiled, backend).keep.files;
		for (const [file, content] of Object.entries(own).filter(([file]) => !WATCH.test(file))) {
			const text = content?.text.replaceAll(/'\/\S+\/(ip6?tables)-\w+'/g, "'$1'") ?? '';
			const isScript = text.startsWith(SUM_LINE);
			expect(files[file]).toEqual(content && {...content, text: isScript ? resum(text) : text});
		}

		const link = '/etc/systemd/system/multi-user.target.wants/fw-wizard.service';
		await target.must('test', ['-L', link]);
		expect(await wizardDoes(target, 'rules', '--policy', '/etc/fw-wizard/policy.json')).toBe(
			await wizardDoes(target, 'rules', ...FLAGS),
		);
	});

	test('removed, nothing of it is left', async () => {
		await run([]);
		await run(['keep']);
		expect(await run(['remove'])).toMatchObject({status: 0});
		const saves = await readSaves(target);
		expect(`${saves.ipv4}${saves.ipv6}`).not.toContain('FW-WIZARD');
		for (const file of ['/etc/fw-wizard', '/etc/systemd/system/fw-wizard.service']) {
			expect(existsSync(inView(target, file))).toBe(false);
		}
	});

	test('rolls back at once what does not load whole', async () => {
		const before = await readSaves(target);
		const script = readFileSync(inView(target, SCRIPT), 'utf8');
		try {
			writeFileSync(
				inView(target, SCRIPT),
				resumExported(script.replaceAll('-j CT --helper ftp', '-j CT --helper none')),
			);
			expect(await run([])).toMatchObject({
				status: 4,
				stderr: expect.stringContaining('the old rules are restored'),
			});
			expect(await readSaves(target)).toEqual(before);
		} finally {
			writeFileSync(inView(target, SCRIPT), script);
		}
	});

	test('loads nothing any more once the old rules are back', async () => {
		const before = await readSaves(target);
		const slow = inView(target, '/etc/slow');
		const waits = '[ -e /run/fw-wizard-export/id ] && [ "$1" = -w ] && sleep 12';
		writeFileSync(slow, `#!/bin/sh\n${waits}\nexec /usr/sbin/ip6tables-${backend}-restore "$@"\n`);
		await target.must('chmod', ['755', '/etc/slow']);
		await target.must('ln', ['-sfn', '/etc/slow', '/etc/alternatives/ip6tables-restore']);
		try {
			// The watchdog waits until all is loaded, or ends what takes too long.
			expect((await run([], 10)).status).not.toBe(0);
			await vi.waitFor(async () => expect(await readSaves(target)).toEqual(before), {
				timeout: 55_000,
				interval: 500,
			});
			await delay(2000);
			expect(await readSaves(target)).toEqual(before);
		} finally {
			const real = `/usr/sbin/ip6tables-${backend}-restore`;
			await target.must('ln', ['-sfn', real, '/etc/alternatives/ip6tables-restore']);
		}
	});

	test('means the same in every shell that may be /bin/sh', async () => {
		await run([]);
		const loaded = await readSaves(target);
		await run(['undo']);
		const busybox = `${await unpackPackages('busybox')}/bin/busybox`;
		for (const shell of [
			['bash', '--posix'],
			[busybox, 'sh'],
		]) {
			expect(await run([], 60, shell)).toMatchObject({status: 0});
			expect(await readSaves(target)).toEqual(loaded);
			expect(await run(['undo'], 60, shell)).toMatchObject({status: 0});
		}
	});

	test('an ordinary user is told, in one line', async () => {
		const user = ['setpriv', '--reuid', '65534', '--clear-groups', 'sh', SCRIPT];
		expect(await execute([...target.enter, ...user])).toEqual({
			status: 3,
			stdout: '',
			stderr: 'fw-wizard: only root can see and change the firewall\n',
		});
	});
});

/** A table that was made and emptied again is as good as none. */
function rulesOf(saves: Awaited<ReturnType<typeof readSaves>>): readonly string[] {
	return `${saves.ipv4}${saves.ipv6}`.split('\n').filter((line) => line.startsWith('-A'));
}
