import {readFileSync, writeFileSync} from 'node:fs';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const WATCH = '/etc/fw-wizard/watch';
const UNITS = '/etc/systemd/system';
const POLICY = ['--role', 'server', '--open', '22/tcp'];

describe('fw-wizard watch', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
		// What it tells at logins must not reach those of this machine.
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
	});

	const files = async () =>
		(
			await host.must('find', [
				...['/etc', '-path', WATCH, '-o', '-name', 'fw-wizard-watch*'],
				...['-o', '-name', 'fw-wizard-look*'],
			])
		)
			.trim()
			.split('\n')
			.filter((line) => line !== '')
			.sort();
	const ALL = [
		WATCH,
		`${UNITS}/fw-wizard-look.service`,
		`${UNITS}/fw-wizard-watch.service`,
		`${UNITS}/fw-wizard-watch.timer`,
		`${UNITS}/multi-user.target.wants/fw-wizard-watch.service`,
		`${UNITS}/timers.target.wants/fw-wizard-watch.timer`,
	];
	const item = async () => (await readChecklist(host)).items.watch;

	test('has nothing to watch where no policy is applied', async () => {
		const {status, stderr} = await wizard(host, 'watch', 'on');
		expect({status, stderr}).toEqual({
			status: 1,
			stderr: expect.stringContaining('No policy is applied: there are no rules to watch\n'),
		});
		expect(await wizardDoes(host, 'watch')).toContain('not watched');
		expect(await files()).toEqual([]);
	});

	test.each([
		[['off', '--repair'], '--repair says how'],
		[['--every', '5min'], '--every says how'],
		[['on', '--every', '5s'], '"5s" is not a time between two looks'],
		[['on', '--every', '2h'], '"2h" is not a time'],
		[['on', '--every', '\u001B[31m'], '"?[31m" is not a time'],
	])('refuses %j', async (words, message) => {
		const {status, stderr} = await wizard(host, 'watch', ...words);
		expect({status, stderr}).toEqual({status: 2, stderr: expect.stringContaining(message)});
	});

	test('is on with a change that is kept, and the checklist says so', async () => {
		await wizardDoes(host, 'apply', ...POLICY);
		expect(await files()).toEqual(ALL);
		expect(await item()).toMatchObject({
			state: 'ok',
			title: 'the loaded rules are watched: after a boot, and every 5 minutes',
		});
		expect(await wizardDoes(host, 'watch')).toContain('every 5 minutes, where that is only told');
	});

	test('is off and stays so, also after other changes and their undo', async () => {
		await wizardDoes(host, 'watch', 'off');
		expect(await files()).toEqual([]);
		expect(await item()).toMatchObject({state: 'open', cause: 'you have switched it off'});
		await wizardDoes(host, 'apply', ...POLICY, '--open', '80/tcp');
		expect(await files()).toEqual([]);
		// Back to where it was on.
		await wizardDoes(host, 'undo');
		expect(await files()).toEqual([]);
	});

	test('is on again as it was said, and stays so', async () => {
		await wizardDoes(host, 'watch', 'on', '--repair', '--every', '10min');
		expect(await files()).toEqual(ALL);
		await wizardDoes(host, 'apply', ...POLICY, '--open', '81/tcp');
		await wizardDoes(host, 'undo');
		expect(await host.must('cat', [`${UNITS}/fw-wizard-watch.timer`])).toContain(
			'\nOnActiveSec=600\n',
		);
		expect(JSON.parse(await wizardDoes(host, 'watch', 'status', '--json'))).toMatchObject({
			...{on: true, repair: true, every: 600},
			...{open: [], repairs: 0},
		});
		const verified = await host.run('systemd-analyze', [
			...['--man=no', 'verify'],
			...ALL.slice(1, 4),
		]);
		expect(verified.stderr).toBe('');
	});

	test('tells what was found, as the checklist does, until it is said to be meant', async () => {
		await host.must('sh', ['-ec', `ip6tables -F FW-WIZARD-INPUT; sh ${WATCH} look`]);
		expect(await wizardDoes(host, 'watch')).toMatch(
			/Repaired since the boot: 1\. The last time: \S+Z IPv6: FW-WIZARD-INPUT is gone or empty/,
		);
		await host.must('sh', [
			'-ec',
			`iptables -I INPUT -p tcp --dport 99 -j ACCEPT; ! sh ${WATCH} look`,
		]);
		const {status, stdout} = await wizard(host, 'watch');
		expect({status, stdout}).toEqual({
			status: 1,
			stdout: expect.stringContaining(
				'\n  IPv4: before our rules: -A INPUT -p tcp -m tcp --dport 99 -j ACCEPT\n',
			),
		});
		expect(await item()).toMatchObject({
			state: 'open',
			cause: expect.stringMatching(
				/^wrong since \S+: IPv4: before our rules: .*\. repaired once since/,
			),
		});
		// Mending is not the same as meaning it.
		await wizard(host, 'check', '--fix');
		expect(await wizard(host, 'watch')).toMatchObject({status: 1});
		await wizardDoes(host, 'watch', 'on');
		await host.must('sh', [WATCH, 'look']);
		expect(await item()).toMatchObject({state: 'ok'});
	});

	test('is mended where its units were disabled, and is gone with the last change', async () => {
		await host.must('systemctl', ['--quiet', 'disable', 'fw-wizard-watch.timer']);
		expect((await readChecklist(host)).failed).toMatchObject({
			watch: 'fw-wizard-watch.timer is not enabled',
		});
		await wizard(host, 'check', '--fix');
		expect(await item()).toMatchObject({state: 'ok'});
		await wizardDoes(host, 'undo', '--to', '1');
		expect(await files()).toEqual([]);
		expect(await host.must('find', ['/etc/fw-wizard', '-type', 'f'])).toBe(
			'/etc/fw-wizard/watching\n',
		);
	});

	test('is on where an earlier version has applied the policy, once that is said, and gone with it', async () => {
		await host.must('rm', ['-rf', '/etc/fw-wizard', '/var/lib/fw-wizard']);
		await wizardDoes(host, 'apply', ...POLICY);
		// As that version has left it: without the watch, also in its record.
		await wizardDoes(host, 'watch', 'off');
		await host.must('rm', ['/etc/fw-wizard/watching']);
		const file = inView(host, '/var/lib/fw-wizard/changes/1/meta.json');
		const record = JSON.parse(readFileSync(file, 'utf8'));
		for (const plan of [record.keep, record.undo]) {
			const others = (words: readonly string[]) => !/watch/.test(words.join(' '));
			plan.before = plan.before.filter(others);
			plan.after = plan.after.filter(others);
			plan.files = Object.fromEntries(
				Object.entries(plan.files).filter(([name]) => !ALL.includes(name)),
			);
		}

		writeFileSync(file, JSON.stringify(record));
		expect(await item()).toMatchObject({state: 'open', fix: `node ${CLI} watch on`});
		await wizardDoes(host, 'watch', 'on');
		expect(await files()).toEqual(ALL);
		await wizardDoes(host, 'undo');
		expect(await files()).toEqual([]);
	});

	test('is done by cron, and by the script that loads the rules, where there are no timers', async () => {
		await host.must('rm', ['-rf', '/etc/fw-wizard', '/var/lib/fw-wizard']);
		await host.must('mkdir', ['-p', '/etc/cron.d']);
		await wizardDoes(host, 'apply', ...POLICY, '--boot', 'ifupdown');
		expect(await files()).toEqual([WATCH]);
		const cron = await host.must('cat', ['/etc/cron.d/fw-wizard']);
		const [, command = ''] = /^\*\/5 \* \* \* \* root ([^%\n]*)\n$/m.exec(cron) ?? [];
		await host.must('sh', ['-c', `iptables -F INPUT; (${command}) || true`]);
		expect((await wizard(host, 'watch')).stdout).toContain('IPv4: INPUT has no jump');
		// The loop of a boot, once, however many interfaces come up; it repairs.
		const hook = '/etc/network/if-pre-up.d/fw-wizard';
		await host.must('sh', ['-c', `${hook}; ${hook}; ip6tables -F INPUT`]);
		await vi.waitFor(
			async () => expect(await host.must('ip6tables', ['-S', 'INPUT'])).toContain('FW-WIZARD'),
			{timeout: 20_000, interval: 200},
		);
		await wizardDoes(host, 'undo', '--all');
		expect(await host.must('find', ['/etc', '/run', '/var/lib', '-name', '*fw-wizard*'])).toBe('');
		expect(await whatStays(host, undefined, 20_000)).toEqual([]);
	});
});
