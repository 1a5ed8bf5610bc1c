import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {suitesHere} from '../_helpers/lab/debian-root.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {processOf} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {canLogIn, loginWords} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';

const MACHINES = rounds(4, 6);
/** Of all of them, one uses the wizard. */
const WIZARD = 2;
/** Seconds to confirm in; the least that can be chosen. */
const LIMIT = 10;
const KNOCK = path.resolve(import.meta.dirname, '../_helpers/ssh/knock.js');
const SHUT_OUT = '--role workstation --no-open --no-helper --verdict reject';
const UNITS = ['list-units', '--all', '--plain', '--no-legend', 'fw-wizard-rollback*'];
const TIMERS = ['list-timers', '--all', '--no-legend', 'fw-wizard-rollback*'];
const SCHEDULE = [
	'show',
	'-p',
	'TimersMonotonic',
	'-p',
	'AccuracyUSec',
	'fw-wizard-rollback*.timer',
];

/** What happens to the one who has just shut the door behind them. */
const MISHAPS: ReadonlyArray<{
	readonly name: string;
	readonly times: number;
	readonly happens: (debian: Debian, terminal: Terminal) => Promise<unknown>;
}> = [
	{name: 'nothing happens', times: 1, happens: async () => {}},
	{
		name: 'the terminal is closed',
		times: 1,
		happens: async (_, terminal) => process.kill(terminal.pid, 'SIGHUP'),
	},
	{
		name: 'the program is killed',
		times: 1,
		happens: async (debian) => kill(debian, /^node \S*cli\.js/),
	},
	{
		name: 'the sshd of the session is killed',
		times: 1,
		happens: async (debian) => kill(debian, /^sshd(-session)?: root@pts/),
	},
	{
		name: "the program's files are deleted",
		times: 1,
		happens: async ({host}) => host.must('rm', ['-r', '/opt/fw-wizard']),
	},
	{
		name: 'the user is logged off with all that they run',
		// What only a service manager can survive: in the long run, ten times on each backend.
		times: rounds(1, 4),
		happens: async ({host}) => host.must('loginctl', ['terminate-user', 'root']),
	},
];

describe.each(suitesHere())(
	'whoever shuts themselves out of a machine with systemd, %s',
	(suite) => {
		const lab = useLab();
		const debians = useDebians(lab);
		const terminals = useTerminals();
		let machines: readonly Debian[];

		beforeAll(async () => {
			machines = await Promise.all(
				Array.from({length: MACHINES}, async (_, index) => {
					const debian = await debians.boot(suite, {
						'/etc/systemd/logind.conf.d/fww.conf': '[Login]\nKillUserProcesses=yes\n',
					});
					await prepare(debian, index);
					return debian;
				}),
			);
		}, 600_000);

		/**
		 * Both backends; every second pair has had a firewall already; all have another program's rules.
		 * One does not note who is logged in, as Debian 13 and later do not.
		 */
		const prepare = async (debian: Debian, index: number) => {
			const {host} = debian;
			await debian.install();
			await debian.chooseBackend(BACKENDS[index % 2] ?? 'nft');
			if (index % 4 < 2) {
				const openings = ['--open', '22/tcp', '--open', '53/udp limit', '--helper', 'ftp'];
				await host.must('node', [PROGRAM, 'apply', '--yes', '--role', 'server', ...openings]);
			}

			if (index === 3) {
				await host.must('rm', ['-f', '/run/utmp']);
			}

			await host.must('iptables', ['-A', 'INPUT', '-s', '198.51.100.7', '-j', 'DROP']);
			await host.must('ip6tables', ['-A', 'INPUT', '-s', '2001:db8:bad::/48', '-j', 'DROP']);
		};

		/** All but one give the command, and that one uses the wizard; every second comes over IPv6. */
		const shutOut = async (debian: Debian, index: number): Promise<Terminal> => {
			const flags = `${SHUT_OUT} --confirm-within ${LIMIT}`;
			const words = index === WIZARD ? flags : `apply ${flags}`;
			const login = {terminal: true, over: index % 2 === 0 ? 4 : 6} as const;
			const terminal = terminals.start(loginWords(debian, `node ${PROGRAM} ${words}`, login), {
				enter: debian.client.enter,
			});
			await (index === WIZARD
				? walkAndLoad(terminal, 'shut')
				: terminal.waitFor(/old rules are restored in \d+ s/));
			return terminal;
		};

		const live = async (
			debian: Debian,
			index: number,
			happens: (typeof MISHAPS)[number]['happens'],
		) => {
			const {host} = debian;
			await debian.install();
			const before = await readSaves(host);
			const bystander = terminals.start(
				loginWords(debian, 'echo ready; exec sleep 1000', {user: 'guest', terminal: true}),
				{enter: debian.client.enter},
			);
			await bystander.waitFor('ready');
			const terminal = await shutOut(debian, index);
			const armed = await host.must('sh', [
				'-c',
				'stat -c %.Y /var/lib/fw-wizard/changes/*/pending',
			]);
			const words = [KNOCK, `${debian.port}`, ...debian.addresses];
			const knocking = debian.client.must(process.execPath, words, {timeout: 30_000});
			// Awaited below; what fails before that is told first, and by itself.
			knocking.catch(() => {});
			const during = withoutEmptyTables(await readSaves(host));
			const timers = await host.must('systemctl', TIMERS);
			const schedule = await host.must('systemctl', SCHEDULE);
			await happens(debian, terminal);
			const tries = await Promise.all([canLogIn(debian, 4), canLogIn(debian, 6)]);
			const seen = JSON.parse(await knocking) as ReadonlyArray<{shut?: number; open: number}>;
			const after = withoutEmptyTables(await readSaves(host));
			await bystander.waitFor(
				/: change \d+ was not confirmed\.\s+The firewall rules are as they were before\./,
			);
			await vi.waitFor(async () => expect(await host.must('systemctl', UNITS)).toBe(''));
			return {
				timers,
				schedule,
				shut: [...seen.map(({shut}) => shut !== undefined), ...tries.map((entered) => !entered)],
				seconds: Math.max(...seen.map(({open}) => open)) / 1000 - Number(armed),
				rules: {before: withoutEmptyTables(before), during, after},
				journal: await host.must('tail', ['-n', '1', '/var/lib/fw-wizard/journal']),
				logins: await Promise.all([canLogIn(debian, 4), canLogIn(debian, 6)]),
				left: await host.must('systemctl', TIMERS),
			};
		};

		// What needs no service manager is tried without one as well (test/lockout/watchdog.test.ts).
		test.each(MISHAPS.slice(rounds(3, 0)))(
			'is in again after 10 s: $name',
			async ({times, happens}) => {
				for (let time = 0; time < times; time += 1) {
					const stories = await Promise.all(
						machines.map(async (debian, index) => live(debian, index, happens)),
					);
					for (const {timers, schedule, shut, seconds, rules, journal, logins, left} of stories) {
						expect(timers).toMatch(/^[^\n]* fw-wizard-rollback-\d+\.timer [^\n]*\n$/);
						expect(schedule).toContain(`{ OnActiveUSec=${LIMIT}s ; `);
						expect(schedule).toContain('AccuracyUSec=100ms\n');
						expect(shut).toEqual([true, true, true, true]);
						expect(rules.during).not.toEqual(rules.before);
						expect(seconds).toBeGreaterThan(LIMIT);
						expect(rules.after).toEqual(rules.before);
						expect(JSON.parse(journal)).toMatchObject({who: 'watchdog', outcome: 'rolled back'});
						expect(logins).toEqual([true, true]);
						expect(left).toBe('');
					}
				}
			},
			180_000,
		);
	},
);

describe.each(suitesHere())('whoever keeps a change on a machine with systemd, %s', (suite) => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();

	test('leaves no timer, confirmed from another login or at once', async () => {
		const debian = await debians.boot(suite);
		const {host} = debian;
		await debian.install();
		const command = `node ${PROGRAM} apply --role server --open 22/tcp`;
		const terminal = terminals.start(
			loginWords(debian, `${command} --confirm-within 60`, {terminal: true}),
			{
				enter: debian.client.enter,
			},
		);
		await terminal.waitFor(/old rules are restored in \d+ s/);
		expect(await host.must('systemctl', TIMERS)).toContain('fw-wizard-rollback-1.timer');
		const [program = '', ...args] = loginWords(debian, `node ${PROGRAM} confirm`);
		expect(await debian.client.must(program, args)).toContain('Confirmed change 1');
		expect(await terminal.ended).toBe(0);
		expect(await host.must('systemctl', UNITS)).toBe('');
		const before = await readSaves(host);

		// A unit of another version; systemd must know of ours once a change is kept.
		await host.must('sh', ['-c', 'echo >>/etc/systemd/system/fw-wizard.service']);
		const [, ...atOnce] = loginWords(debian, `${command} --open 80/tcp --yes`);
		expect(await debian.client.must(program, atOnce)).toContain('Confirmed as change 2');
		expect(await host.must('systemctl', UNITS)).toBe('');
		expect(await host.must('systemctl', TIMERS)).toBe('');
		expect(await readSaves(host)).not.toEqual(before);
		const properties = ['UnitFileState', 'NeedDaemonReload'].flatMap((name) => ['-p', name]);
		expect(await host.must('systemctl', ['show', ...properties, 'fw-wizard.service'])).toBe(
			'UnitFileState=enabled\nNeedDaemonReload=no\n',
		);
	}, 600_000);
});

async function kill({host}: Debian, title: RegExp): Promise<void> {
	process.kill(await processOf(host, title), 'SIGKILL');
}
