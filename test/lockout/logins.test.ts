import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import type {RunResult} from '../../source/host/exec/run.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {processOf} from '../_helpers/lab/processes.ts';
import type {Server} from '../_helpers/lab/programs.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {addUser, logIn, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {
	applyBy,
	byDropbear,
	byJumpHost,
	byLinkLocal,
	bySsh,
	byWireGuard,
	CONTAINER_PORT,
	FW_WIZARD,
	OTHER_PORT,
	runBy,
	startBy,
	type Way,
	withOptions,
} from './logins.ts';

const CONFIRM = `${FW_WIZARD} confirm`;
/** Which logins confirm does not depend on the backend: the long run tries both, ten times each. */
const RUNS = Array.from({length: rounds(1, 20)}, (_, index) => ({
	run: index + 1,
	backend: BACKENDS[index % BACKENDS.length] ?? 'nft',
}));

describe.each(RUNS)(
	'a new login confirms, from where the rules were applied, $backend, run $run',
	({backend}) => {
		const lab = useLab();
		const terminals = useTerminals();
		let server: SshServer;

		beforeAll(async () => {
			server = await sshServer(lab, await sshClient(lab), {backend});
		});

		const WAYS: ReadonlyArray<{readonly name: string; readonly open: () => Promise<Way> | Way}> = [
			{name: 'IPv6', open: () => bySsh(server, {over: 6})},
			{name: 'a link-local address', open: async () => byLinkLocal(server)},
			{name: 'a jump host', open: async () => byJumpHost(lab, server)},
			{name: 'WireGuard', open: async () => byWireGuard(server)},
			{name: 'dropbear', open: async () => byDropbear(server)},
			{
				name: 'sudo, where /proc hides the processes of others',
				async open() {
					await addUser(server.host);
					await server.host.must('mount', ['-t', 'proc', '-o', 'hidepid=2', 'proc', '/proc']);
					const {client, words} = bySsh(server, {user: 'ann'});
					return {client, words: (command) => words(`sudo sh -c '${command}'`)};
				},
			},
		];

		test.each(WAYS)('over $name', async ({open}) => {
			const way = await open();
			const applying = await applyBy(way);
			const login = await startBy(way, 'echo in; exec cat', /in/);
			await vi.waitFor(() => expect(applying.output()).toMatch(/New login from \S+ seen/), WAIT);
			await login.stop();
			const {status, stdout, stderr} = await runBy(way, CONFIRM);
			expect({status, stdout, stderr}).toEqual({
				status: 0,
				stdout: expect.stringMatching(/^Confirmed change \d+/),
				stderr: '',
			});
			expect(await applying.ended).toBe(0);
			await wizardDoes(server.host, 'undo', '--all');
		});

		test('at the console, which no rules close', async () => {
			const applying = await applyBy(bySsh(server));
			// In a view of its own, a terminal of the test is there.
			const command = `mount --bind "$(tty)" /dev/console; ${CONFIRM} </dev/console; umount /dev/console`;
			const terminal = terminals.start(['sh', '-c', command], {enter: server.host.enter});
			await terminal.waitFor(/Confirmed change \d+/);
			expect(await terminal.ended).toBe(0);
			expect(await applying.ended).toBe(0);
			await wizardDoes(server.host, 'undo', '--all');
		});

		test('from a tmux that was there before, attached again', async () => {
			const [way, tmux] = [bySsh(server), 'tmux -f /dev/null -S ~/tmux'];
			await runBy(way, `${tmux} new-session -d bash --norc`);
			const applying = await applyBy(way);
			const terminal = logIn(terminals, server, `${tmux} attach`);
			await terminal.waitFor(/[#$]/);
			terminal.type(`${CONFIRM}\r`);
			await terminal.waitFor(/Confirmed change \d+/);
			expect(await applying.ended).toBe(0);
		});
	},
);

/** Stands for iptables-restore, and waits with the rules of a change for as long as a file is there. */
const HOLD = `#!/bin/sh
if [ -e FOLDER/hold ] && ls /var/lib/fw-wizard/changes/*/pending >/dev/null 2>&1; then
	touch FOLDER/held
	while [ -e FOLDER/hold ]; do sleep 0.05; done
fi
exec /usr/sbin/iptables-BACKEND-restore "$@"
`;

const NOT_ROOTS = `The server of this login at ${OTHER_PORT}/tcp is not root's`;
const WAIT = {timeout: 20_000, interval: 50};
/** A port on which root listens, and that the new rules close. */
const CLOSED_PORT = 3333;
const BLOCKED = new RegExp(
	`^fw-wizard: The new rules block ${CLOSED_PORT}/tcp from 10\\.9\\.0\\.2: `,
	'm',
);

describe.each(RUNS)('needs the word, $backend, run $run', ({backend}) => {
	const lab = useLab();
	const terminals = useTerminals();
	let server: SshServer;
	let admin: Way;
	/** A folder that all machines of the test reach. */
	let folder: string;
	let applying: Server;
	/** Logins that wait for a file of their name, and then confirm. */
	const waiting = new Map<string, Server>();

	const file = (name: string) => path.join(folder, name);
	const shared = () => withOptions(admin, `ControlPath=${file('master')}`);
	const logInAndWait = async (name: string) => {
		const command = `echo in; until [ -e ${file(name)} ]; do sleep 0.1; done; ${CONFIRM}`;
		waiting.set(name, await startBy(admin, command, /in/));
	};

	beforeAll(async () => {
		const client = await sshClient(lab);
		folder = client.folder;
		writeFileSync(file('restore'), HOLD.replaceAll('FOLDER', folder).replace('BACKEND', backend), {
			mode: 0o755,
		});
		const replaced = {'iptables-restore': file('restore')};
		server = await sshServer(lab, client, {backend, replaced});
		await addUser(server.host);
		await client.ip(['address add 10.9.0.3/24 dev to0']);
		await listenAndConfirm(CLOSED_PORT, ['socat']);
		admin = bySsh(server);
		await runBy(admin, `dtach -n ${file('old')} bash --norc`);
		await runBy(withOptions(shared(), 'ControlMaster=yes', 'ControlPersist=60'), 'true');
		await logInAndWait('before');
		writeFileSync(file('hold'), '');
		const loading = applyBy(admin);
		await vi.waitFor(() => expect(existsSync(file('held'))).toBe(true), WAIT);
		await logInAndWait('during');
		rmSync(file('hold'));
		applying = await loading;
	});

	/** Starts a server that confirms for each of its clients. @param words its program, a socat */
	const listenAndConfirm = async (port: number, words: readonly string[], sudo = '') => {
		const [program = '', ...args] = words;
		const command = `SYSTEM:"${sudo} ${CONFIRM}; sleep 2",stderr`;
		const listen = ['-dd', `TCP-LISTEN:${port},reuseaddr,fork`, command];
		await server.host.start(program, [...args, ...listen], /listening on/);
	};

	const connect = async (port: number, options = '') => {
		const address = `TCP:${server.addresses[0]}:${port}${options}`;
		return said(await server.client.run('socat', ['-u', address, '-']));
	};

	/** Confirms in a terminal of dtach(1). */
	const confirmIn = async (terminal: string) => {
		const output = file(`${terminal}-output`);
		const input = `${CONFIRM} >${output} 2>&1; echo over >>${output}\n`;
		await server.host.must('dtach', ['-p', file(terminal)], {input});
		await vi.waitFor(() => expect(readFileSync(output, 'utf8')).toContain('over\n'), WAIT);
		return readFileSync(output, 'utf8');
	};

	const confirmWaiting = async (name: string) => {
		writeFileSync(file(name), '');
		await waiting.get(name)?.ended;
		return waiting.get(name)?.output() ?? '';
	};

	const OLD = /^fw-wizard: This session was open before the rules were applied/m;

	const CASES: ReadonlyArray<{
		readonly what: string;
		readonly confirm: () => Promise<string>;
		readonly why: RegExp;
	}> = [
		{
			what: 'a terminal of a login that ended before the rules were loaded',
			confirm: async () => confirmIn('old'),
			why: /^fw-wizard: The login that opened this terminal has ended: /,
		},
		{
			what: 'a terminal of a new login that has ended',
			async confirm() {
				await runBy(admin, `dtach -n ${file('new')} bash --norc`);
				return confirmIn('new');
			},
			why: /^fw-wizard: The login that opened this terminal has ended: /,
		},
		{
			what: 'a login from before',
			confirm: async () => confirmWaiting('before'),
			why: OLD,
		},
		{
			what: 'a login while the rules were loaded',
			confirm: async () => confirmWaiting('during'),
			why: OLD,
		},
		{
			what: 'a new session over a connection from before',
			confirm: async () => said(await runBy(shared(), CONFIRM)),
			why: /^fw-wizard: This session .*, or shares a connection that was \(ControlMaster\): /,
		},
		{
			what: 'a terminal without a login: of a web console, of docker exec',
			confirm: async () => said(await server.host.run('sh', ['-c', CONFIRM])),
			why: /^fw-wizard: (How this terminal is connected could not be detected|The login that opened this)/,
		},
		{
			what: 'a login from another address',
			async confirm() {
				const other = withOptions(admin, 'BindAddress=10.9.0.3');
				const login = await startBy(other, 'echo in; exec cat', /in/);
				const seen = 'A login was seen. This login comes from 10.9.0.3, and';
				await vi.waitFor(() => expect(applying.output()).toContain(seen), WAIT);
				await login.stop();
				return said(await runBy(other, CONFIRM));
			},
			why: /^fw-wizard: This login comes from 10\.9\.0\.3, and the rules were applied from 10\.9\.0\.2: /,
		},
		{
			what: 'a process of an ordinary user that calls itself sshd',
			async confirm() {
				const copy = path.join(server.host.folder, 'sshd');
				await server.host.must('install', ['-o', 'ann', '/usr/bin/socat', copy]);
				const start = `exec -a 'sshd: root@pts/0' ${copy} "$@"`;
				const asAnn = ['setpriv', '--reuid=ann', '--regid=ann', '--clear-groups', '--'];
				await listenAndConfirm(OTHER_PORT, [...asAnn, 'bash', '-c', start, 'bash'], 'sudo -n');
				const text = await connect(OTHER_PORT);
				await vi.waitFor(
					() => expect(applying.output()).toContain(`A login was seen. ${NOT_ROOTS}`),
					WAIT,
				);
				return text;
			},
			why: new RegExp(`^fw-wizard: ${NOT_ROOTS}`, 'm'),
		},
		{
			what: 'a connection that conntrack takes for an established one',
			async confirm() {
				const [from] = server.clients;
				const words = `-I -p tcp -s ${from} -d ${server.addresses[0]} --sport 40000 --dport ${CLOSED_PORT} --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 600`;
				await server.host.must('conntrack', words.split(' '));
				return connect(CLOSED_PORT, ',sourceport=40000,reuseaddr');
			},
			why: BLOCKED,
		},
		{
			what: 'a connection that a rule of another program accepts',
			async confirm() {
				const accept = ['INPUT', '-p', 'tcp', '--dport', `${CLOSED_PORT}`, '-j', 'ACCEPT'];
				await server.host.must('iptables', ['-I', ...accept]);
				const text = await connect(CLOSED_PORT);
				await server.host.must('iptables', ['-D', ...accept]);
				return text;
			},
			why: BLOCKED,
		},
		{
			what: 'mosh, whose login ends as soon as it has begun',
			async confirm() {
				const start = 'LC_ALL=C.UTF-8 mosh-server new -i 0.0.0.0 -p 60001 -- bash --norc';
				const {stdout} = await runBy(admin, start);
				const key = /MOSH CONNECT 60001 (\S+)/.exec(stdout)?.[1] ?? '';
				const terminal = terminals.start(['mosh-client', server.addresses[0], '60001'], {
					enter: server.client.enter,
					variables: {MOSH_KEY: key, LC_ALL: 'C.UTF-8'},
					columns: 200,
				});
				await terminal.waitFor(/[#$]/);
				terminal.type(`clear; ${CONFIRM}\r`);
				const text = await terminal.waitFor('confirm keep');
				terminal.type('exit\r');
				return text;
			},
			why: /^fw-wizard: mosh does not show from which address you are connected/m,
		},
		{
			what: 'a new login, after which sshd has stopped listening',
			async confirm() {
				await logInAndWait('last');
				await logInAndWait('very-last');
				process.kill(await processOf(server.host, /^sshd: .*\[listener\]/), 'SIGTERM');
				return confirmWaiting('last');
			},
			why: /^fw-wizard: No program listens at 22\/tcp any more: /m,
		},
		{
			what: 'a change of version 0.1.0, which did not record this',
			async confirm() {
				const meta = '/var/lib/fw-wizard/changes/1/meta.json';
				const record = JSON.parse(await server.host.must('cat', [meta]));
				const {appliedFrom: _, ...old} = record;
				await server.host.must('tee', [meta], {input: JSON.stringify(old)});
				return confirmWaiting('very-last');
			},
			why: /^fw-wizard: An older version of fw-wizard made this change/m,
		},
	];

	test('a login to a container that has the network of the machine', async () => {
		const alone = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
		const way = await byDropbear(server, CONTAINER_PORT, ...alone);
		const login = await startBy(way, 'echo in; exec cat', /in/);
		const seen = 'A login was seen. This login is one to a container: ';
		await vi.waitFor(() => expect(applying.output()).toContain(seen), WAIT);
		await login.stop();
	});

	// A loop: test.each would cut the names off.
	for (const {what, confirm, why} of CASES) {
		test(what, async () => {
			const text = await confirm();
			expect(text).toMatch(why);
			expect(text).toMatch(
				/^Log in again .*\(ssh -o ControlPath=none\) .*keep the rules all the same: (?:sudo )?node \S+ confirm keep$/m,
			);
			expect(await wizardDoes(server.host, 'undo', '--list')).toContain('  waits  ');
		});
	}

	test('and is confirmed by it', async () => {
		expect(await wizardDoes(server.host, 'confirm', 'keep')).toMatch(/^Confirmed change 1/);
		expect(await applying.ended).toBe(0);
	});
});

function said({stdout, stderr}: RunResult): string {
	return stdout + stderr;
}
