import {copyFileSync, mkdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {VERDICTS} from '../../source/policy/policy.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {processesOf, processOf, whatStays} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {takeTurns} from '../_helpers/lab/turns.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {canLogIn, loginWords, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';

/** Their numbers say what each of them does: of those in the usual run, one gives the command and one uses the wizard. */
const RUNS = Array.from({length: 10}, (_, run) => run).filter(
	(run) => rounds(0, 1) === 1 || run === 1 || run === 2,
);
/** Seconds to confirm in; the least that can be chosen. */
const LIMIT = 10;
/** Milliseconds for everybody's story: four times what they take alone. */
const TIMEOUT_MS = 480_000;

const KNOCK = path.resolve(import.meta.dirname, '../_helpers/ssh/knock.js');

/** What happens to the one who has just shut the door behind them. */
const MISHAPS = {
	'nothing happens': async () => {},
	'the terminal hangs up': async ({terminal}) => process.kill(terminal.pid, 'SIGKILL'),
	'the program is killed': async ({server}) => kill(server, /^\S*node .*cli\.js/),
	'the sshd of the session is killed': async ({server}) => kill(server, /^sshd: root@pts/),
	"the program's files are deleted": async ({program}) => rmSync(program, {recursive: true}),
} as const satisfies Readonly<Record<string, (situation: Situation) => Promise<unknown>>>;

type Mishap = keyof typeof MISHAPS;

/** After these the program may wait on, and rolls back where the watchdog has not. */
const WAITING: ReadonlySet<Mishap> = new Set([
	'nothing happens',
	'the sshd of the session is killed',
	"the program's files are deleted",
]);

type Situation = {
	readonly server: SshServer;
	/** Where the ssh client runs. */
	readonly terminal: Terminal;
	/** The folder of the program. */
	readonly program: string;
};

type Story = {
	readonly mishap: Mishap;
	/** What both families' ports looked like to the client while the rules were loaded. */
	readonly shut: boolean;
	/** The command line of the watchdog. */
	readonly watchdogs: readonly string[];
	/** Seconds from the moment that the watchdog was armed until both families let the client in. */
	readonly seconds: number;
	readonly rules: {readonly before: unknown; readonly after: unknown};
	readonly journal: string;
	readonly logins: readonly boolean[];
	/** What still ran on the server in the end, but for sshd. */
	readonly left: readonly string[];
};

describe.each(mainly('nft'))('whoever shuts themselves out of SSH, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	const stories: Story[] = [];

	beforeAll(async () => {
		const client = await sshClient(lab);
		const turns = takeTurns(2);
		const mishaps = Object.keys(MISHAPS) as Mishap[];
		const all = RUNS.map((run) => mishaps.map((mishap) => ({mishap, run})));
		await Promise.all(
			all.flat().map(async ({mishap, run}, number) => {
				const server = await turns(async () => prepare(client, number, run));
				stories.push(await live(server, mishap, run, turns));
			}),
		);
	}, TIMEOUT_MS);

	/** Every second server has had a firewall already, and all have another program's rules. */
	const prepare = async (client: SshServer['client'], number: number, run: number) => {
		const server = await sshServer(lab, client, {backend, number});
		const {host} = server;
		if (run % 2 === 1) {
			const openings = ['--open', '22/tcp', '--open', '53/udp limit'];
			await wizardDoes(host, 'apply', '--role', 'server', '--helper', 'ftp', ...openings);
		}

		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
		await host.must('ip6tables', ['-A', 'INPUT', '-s', '2001:db8:bad::/48', '-j', 'DROP']);
		return server;
	};

	const live = async (
		server: SshServer,
		mishap: Mishap,
		run: number,
		turns: ReturnType<typeof takeTurns>,
	): Promise<Story> => {
		const {host, client, addresses, port} = server;
		const before = await readSaves(host);
		const situation = await turns(async () => {
			const program = path.join(host.folder, 'program');
			mkdirSync(program);
			// Not the stand-alone binary, which may be beside it and has a hundred megabytes.
			for (const file of ['cli.js', 'package.json']) {
				copyFileSync(path.join(path.dirname(CLI), file), path.join(program, file));
			}

			const terminal = await shutOut(server, path.join(program, 'cli.js'), run);
			return {server, terminal, program};
		});
		const armed = await host.must('sh', ['-c', 'stat -c %.Y /var/lib/fw-wizard/changes/*/pending']);
		const watchdogs = (await processesOf(host))
			.map(({title}) => title)
			.filter((title) => title.includes('rollback wait'));
		const knocking = client.must(process.execPath, [KNOCK, `${port}`, ...addresses]);
		// Awaited below; what fails before that is told first, and by itself.
		knocking.catch(() => {});
		await MISHAPS[mishap](situation);
		const tries: boolean[] = [];
		for (const over of [4, 6] as const) {
			const came = await canLogIn(server, over);
			// On a busy machine it may take until the old rules are back.
			tries.push(came && Date.now() / 1000 < Number(armed) + LIMIT);
		}

		const seen = JSON.parse(await knocking) as ReadonlyArray<{shut?: number; open: number}>;
		// Only the wizard is still there to tell what happened.
		await situation.terminal.waitFor('The old rules are back').catch(() => {});
		situation.terminal.press('ctrlC');
		await situation.terminal.ended;
		// The watchdog writes the journal after the rules are back.
		const left = await whatStays(host, /^sshd: /, 30_000);
		return turns(async () => ({
			mishap,
			watchdogs,
			shut: !tries.includes(true) && seen.every(({shut}) => shut !== undefined),
			seconds: Math.max(...seen.map(({open}) => open)) / 1000 - Number(armed),
			rules: {before: withoutEmptyTables(before), after: withoutEmptyTables(await readSaves(host))},
			journal: await host.must('tail', ['-n', '1', '/var/lib/fw-wizard/journal']),
			logins: [await logsIn(server, 4), await logsIn(server, 6)],
			left,
		}));
	};

	/** Of three people, two give the command and one uses the wizard; every second comes over IPv6. */
	const shutOut = async (server: SshServer, program: string, run: number): Promise<Terminal> => {
		const verdict = VERDICTS[run % VERDICTS.length] ?? 'reject';
		const policy = `--role workstation --no-open --no-helper --verdict ${verdict}`;
		const flags = `${policy} --confirm-within ${LIMIT}`;
		const command = run % 3 < 2 ? `apply ${flags}` : flags;
		const login = loginWords(server, `${process.execPath} ${program} ${command}`, {
			terminal: true,
			over: run % 2 === 0 ? 4 : 6,
		});
		const terminal = terminals.start(login, {enter: server.client.enter});
		await (command === flags
			? walkAndLoad(terminal, 'shut')
			: terminal.waitFor(/old rules are restored in \d+ s/));
		return terminal;
	};

	const of = (mishap: Mishap) => stories.filter((story) => story.mishap === mishap);

	test.each(Object.keys(MISHAPS) as Mishap[])(
		`is in again after ${LIMIT} s, in ${RUNS.length} of ${RUNS.length} cases: %s`,
		(mishap) => {
			const told = of(mishap);
			expect(told.map(({shut}) => shut)).toEqual(told.map(() => true));
			expect(told.map(({logins}) => logins)).toEqual(told.map(() => [true, true]));
			expect(told).toHaveLength(RUNS.length);
			for (const {watchdogs, seconds, journal, rules, left} of told) {
				// That it sleeps no longer than it is told is shown with its script alone.
				expect(new Set(watchdogs)).toEqual(
					new Set([expect.stringMatching(new RegExp(`^/\\S*sh /\\S+/rollback wait ${LIMIT}$`))]),
				);
				expect(seconds).toBeGreaterThan(LIMIT);
				expect(left).toEqual([]);
				expect(rules.after).toEqual(rules.before);
				expect(JSON.parse(journal)).toMatchObject({
					// On a busy machine a program that still waits may be first.
					...(WAITING.has(mishap) ? {} : {who: 'watchdog'}),
					outcome: expect.stringMatching(/^rolled back/),
				});
			}
		},
	);
});

/** A login has two seconds, which is little on a busy machine. */
async function logsIn(server: SshServer, over: 4 | 6): Promise<boolean> {
	for (let tries = 0; tries < 5; tries += 1) {
		if (await canLogIn(server, over)) {
			return true;
		}
	}

	return false;
}

async function kill({host}: SshServer, title: RegExp): Promise<void> {
	process.kill(await processOf(host, title), 'SIGKILL');
}
