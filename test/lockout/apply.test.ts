import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {afterEach, beforeAll, describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {readSaves, type Saves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {
	canLogIn,
	logIn,
	runThere,
	type SshServer,
	sshClient,
	sshServer,
} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';

const FW_WIZARD = `${process.execPath} ${CLI}`;
const OPEN = '--role server --open 22/tcp';
const SHUT = '--role workstation --no-open';
const LOADED =
	/The old rules are restored in \d+ s\. To keep these, log in again and run: node[\s\S]*ssh\s+shares\s+connections/;

/** What is on the screen, with the lines that the terminal has broken. */
const unwrapped = (terminal: Terminal) => terminal.screen().replaceAll('\n', '');

describe.each(mainly('legacy'))('fw-wizard apply over ssh, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	let server: SshServer;
	let before: Saves;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend});
		await server.host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
		await server.host.must('ip6tables', ['-A', 'INPUT', '-s', '2001:db8::7', '-j', 'DROP']);
		before = await rules();
	});

	afterEach(async () => {
		await wizardDoes(server.host, 'undo', '--all');
		expect(await rules()).toEqual(before);
	});

	const rules = async () => withoutEmptyTables(await readSaves(server.host));
	const apply = async (flags: string) => {
		const terminal = logIn(terminals, server, `${FW_WIZARD} apply ${flags}`);
		await terminal.waitFor(LOADED);
		return terminal;
	};

	test('waits for fw-wizard confirm from elsewhere, status 0', async () => {
		const applying = await apply(`${OPEN} --confirm-within 60`);
		const loaded = await rules();
		expect(loaded).not.toEqual(before);
		const {status} = await runThere(server, `${FW_WIZARD} confirm`);
		expect(status).toBe(0);
		expect(await applying.ended).toBe(0);
		expect(applying.screen()).toMatch(/Confirmed as change 1\. To undo it: node \S+ undo/);
		expect(await rules()).toEqual(loaded);
	});

	test('waits without a terminal too, with a policy from a file, status 0', async () => {
		const file = path.join(server.host.folder, 'policy.json');
		writeFileSync(file, '{"version": 1, "role": "server", "openings": ["22/tcp", "53"]}');
		const words = `${FW_WIZARD} apply --policy ${file} --confirm-within 60`;
		const applying = runThere(server, words);
		// Another login each time: one that was opened while the rules were loaded shows nothing.
		await vi.waitFor(
			async () =>
				expect((await runThere(server, `${FW_WIZARD} confirm`)).stdout).toMatch(
					/^Confirmed change 1: .*--open 53$/m,
				),
			{timeout: 20_000},
		);
		const {status, stdout, stderr} = await applying;
		expect({status, stdout}).toEqual({
			status: 0,
			stdout: expect.stringMatching(/Confirmed as change 1\. To undo it: node \S+ undo/),
		});
		expect(stderr).toMatch(LOADED);
	});

	test('is refused a confirmation by its own session, but for the word', async () => {
		const shell = logIn(terminals, server, 'bash --norc');
		shell.type(`${FW_WIZARD} apply ${OPEN} --confirm-within 60 &\r`);
		await shell.waitFor(LOADED);
		shell.type(`${FW_WIZARD} confirm; echo status $?\r`);
		await shell.waitFor(/status 1$/m);
		expect(unwrapped(shell)).toMatch(/or to keep the rules all the same: *node \S+ *confirm *keep/);
		shell.type(`clear; ${FW_WIZARD} confirm keep; echo status $?\r`);
		await shell.waitFor(/status 0$/m);
		expect(await wizardDoes(server.host, 'undo', '--list')).toContain('  confirmed  ');
	});

	test('is refused a confirmation by another session that was open before', async () => {
		const old = logIn(terminals, server, 'bash --norc');
		await old.waitFor(/[$#]/);
		await apply(`${OPEN} --confirm-within 60`);
		old.type(`${FW_WIZARD} confirm; echo status $?\r`);
		await old.waitFor(/status 1$/m);
		expect(unwrapped(old)).toMatch(/node \S+ *confirm *keep/);
	});

	test('rolls back when nobody confirms in time, status 4, and tells who is logged in', async () => {
		const other = logIn(terminals, server, 'echo in && exec cat');
		await other.waitFor('in');
		const applying = await apply(`${SHUT} --confirm-within 10`);
		expect(await canLogIn(server, 4)).toBe(false);
		expect(await applying.ended).toBe(4);
		expect(applying.screen()).toMatch(/Change 1 was not confirmed and is rolled back\s+The rules/);
		await other.waitFor('fw-wizard: change 1 was not confirmed.');
		expect(await canLogIn(server, 4)).toBe(true);
		expect(await rules()).toEqual(before);
	});

	test('rolls back at once for Ctrl-C, status 4', async () => {
		const applying = await apply(`${SHUT} --confirm-within 60`);
		applying.press('ctrlC');
		expect(await applying.ended).toBe(4);
		expect(await rules()).toEqual(before);
		expect(await wizardDoes(server.host, 'undo', '--list')).toContain('  rolled back  ');
	});

	test('whose terminal hung up can be confirmed from a new login', async () => {
		const applying = await apply(`${OPEN} --confirm-within 60`);
		const loaded = await rules();
		process.kill(applying.pid, 'SIGKILL');
		expect(
			await whatStays(server.host, /^sshd: |rollback wait|^sleep |-restore -w 10 --noflush$/),
		).toEqual([]);
		const {status} = await runThere(server, `${FW_WIZARD} confirm`);
		expect(status).toBe(0);
		expect(await rules()).toEqual(loaded);
		expect(await whatStays(server.host, /^sshd: /)).toEqual([]);
	});

	test.each([4, 6] as const)(
		'with --yes never shuts the session in use, status 2, over IPv%i',
		async (over) => {
			const {status, stdout, stderr} = await runThere(server, `${FW_WIZARD} apply ${SHUT} --yes`, {
				over,
			});
			expect({status, stdout}).toEqual({status: 2, stdout: ''});
			const client = server.clients[over === 4 ? 0 : 1];
			expect(stderr).toBe(
				`fw-wizard: These rules block 22/tcp, through which you (${client}) are connected\nAdd --open 22/tcp, or try it with --confirm-within 60\n`,
			);
			expect(await rules()).toEqual(before);
			expect(await wizardDoes(server.host, 'undo', '--list')).toBe('No change is remembered.\n');
		},
	);

	test('refuses a second change while one waits, status 3', async () => {
		await apply(`${OPEN} --confirm-within 60`);
		const {status, stderr} = await wizard(server.host, 'apply', '--role', 'server');
		expect(status).toBe(3);
		expect(stderr).toMatch(
			/^fw-wizard: Another fw-wizard is changing the firewall: process \d+ .*\n.*cli\.js confirm/,
		);
	});
});
