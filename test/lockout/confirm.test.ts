import process from 'node:process';
import {afterEach, beforeAll, describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {ownLines, readSaves} from '../_helpers/samples/saves.ts';
import {
	logIn,
	loginWords,
	runThere,
	type SshServer,
	sshClient,
	sshServer,
} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';
import {COUNTDOWN, walkAndLoad} from '../_helpers/terminal/walk.ts';
import {walkTo} from '../_helpers/ui/journey.ts';

const FW_WIZARD = `${process.execPath} ${CLI}`;
const OPEN = '--role server --open 22/tcp';

describe.each(mainly('legacy'))('the wizard over ssh waits, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	let server: SshServer;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend});
	});

	afterEach(async () => {
		await wizardDoes(server.host, 'undo', '--all');
	});

	/** In a first terminal, up to the countdown. */
	const load = async (over: 4 | 6 = 4) => {
		const first = logIn(terminals, server, `${FW_WIZARD} ${OPEN}`, {over});
		await walkAndLoad(first, 'open');
		return first;
	};

	const kept = async (first: Terminal) => {
		await first.waitFor(/Confirmed as change \d+/);
		expect(await wizardDoes(server.host, 'undo', '--list')).toMatch(/ confirmed .*--open 22\/tcp/);
		expect(ownLines((await readSaves(server.host)).ipv6)).not.toEqual([]);
	};

	test('without a new login: Enter does not keep the rules, the word does', async () => {
		const first = await load();
		first.press('enter');
		await moment(first);
		first.type('kee');
		first.press('enter');
		await moment(first);
		expect(await wizardDoes(server.host, 'undo', '--list')).toContain(' waits ');
		first.type('p');
		first.press('enter');
		await kept(first);
	});

	test.each([4, 6] as const)(
		'for a second login, over IPv%i: it is seen, and Enter keeps the rules',
		async (over) => {
			const first = await load(over);
			const second = logIn(terminals, server, 'echo in && exec cat', {over});
			await second.waitFor('in');
			await first.waitFor(`New login from ${server.clients[over === 4 ? 0 : 1]} seen`);
			first.press('enter');
			await kept(first);
		},
	);

	test('and names a login from another address, after which only the word keeps the rules', async () => {
		const first = await load();
		const second = logIn(terminals, server, 'echo in && exec cat', {over: 6});
		await second.waitFor('in');
		await first.waitFor('A login was seen. This login comes from fd00:9:1::2, and the rules were');
		second.press('ctrlC');
		await second.ended;
		first.press('enter');
		await moment(first);
		expect(first.screen()).toContain('A login was seen. This login comes from fd00:9:1::2');
		const {status, stderr} = await runThere(server, `${FW_WIZARD} confirm`, {over: 6});
		expect({status, stderr}).toEqual({
			status: 1,
			stderr: expect.stringMatching(
				/^fw-wizard: This login comes from fd00:9:1::2, and the rules were applied from 10\.9\.0\.2: .*\n.*confirm keep\n$/,
			),
		});
		first.type('keep');
		first.press('enter');
		await kept(first);
	});

	test('and remembers a login that has gone again', async () => {
		const first = await load();
		const second = logIn(terminals, server, 'read -r line');
		await first.waitFor('New login from');
		second.press('enter');
		expect(await second.ended).toBe(0);
		await moment(first);
		expect(first.screen()).toContain('New login from');
		first.press('enter');
		await kept(first);
	});

	test('for fw-wizard confirm in a second login, and goes on by itself', async () => {
		const first = await load();
		const {status, stdout} = await runThere(server, `${FW_WIZARD} confirm`);
		expect({status, stdout}).toMatchObject({
			status: 0,
			stdout: expect.stringMatching(/^Confirmed change \d+: --role server/),
		});
		await kept(first);
	});

	test.each([
		{from: 'its own address', to: (server: SshServer) => server.addresses},
		{from: 'loopback', to: () => ['127.0.0.1', '::1'] as const},
	])('and takes no login from the machine itself for one: from $from', async ({to}) => {
		const first = await load();
		const own = {...server, addresses: to(server)};
		const [ssh = '', ...words] = loginWords(own, `echo in && exec cat`, {terminal: true});
		const second = terminals.start([ssh, ...words], {enter: server.host.enter});
		await second.waitFor('in');
		const [, ...confirming] = loginWords(own, `${FW_WIZARD} confirm`);
		const {status, stderr} = await server.host.run(ssh, confirming);
		expect(status).toBe(1);
		expect(stderr).toMatch(
			/^fw-wizard: This login comes from the machine itself: .*\nLog in again \(ssh -o ControlPath=none\)/,
		);
		await moment(first);
		expect(first.screen()).not.toContain('New login');
		first.press('escape');
		await first.waitFor('The old rules are back');
	});

	test('once the door that it is used through was opened with one key', async () => {
		const first = logIn(terminals, server, `${FW_WIZARD} --role workstation --no-open`);
		const warned = await walkTo(first, 'Load these rules now?');
		expect(warned).toContain('locked out: 22/tcp');
		first.type('o');
		await first.waitFor('You can still log in');
		first.press('enter');
		await first.waitFor(COUNTDOWN);
		expect((await runThere(server, `${FW_WIZARD} confirm`)).status).toBe(0);
		await kept(first);
	});

	test('and takes no connection for a login that does not authenticate', async () => {
		const first = await load();
		const {client, addresses, port} = server;
		const connected = terminals.start(['socat', '-', `TCP:${addresses[0]}:${port}`], {
			enter: client.enter,
		});
		await connected.waitFor('SSH-2.0-');
		// Goes as far as it gets without a key.
		const stranger = logIn(terminals, server, 'true', {user: 'stranger'});
		await moment(first);
		expect(await stranger.ended).toBe(255);
		await moment(first);
		expect(first.screen()).not.toContain('New login');
		first.press('enter');
		await moment(first);
		expect(await wizardDoes(server.host, 'undo', '--list')).toContain(' waits ');
		first.press('escape');
		await first.waitFor('The old rules are back');
	});

	test("and what the watchdog tells everybody does not stay on the wizard's screen", async () => {
		const first = logIn(terminals, server, `${FW_WIZARD} ${OPEN} --confirm-within 10`);
		await walkAndLoad(first, 'open');
		await first.waitFor('Not confirmed in time');
		await vi.waitFor(() => expect(first.output()).toContain('was not confirmed.'), {
			timeout: 20_000,
		});
		await first.waitFor(
			(screen) =>
				!screen.includes('was not confirmed.') && screen.includes('Not confirmed in time'),
		);
	});

	test.each([
		{key: 'escape', how: 'Esc', code: undefined},
		{key: 'ctrlC', how: 'Ctrl-C', code: 4},
	] as const)('and $how puts the old rules back at once', async ({key, code}) => {
		const before = await readSaves(server.host);
		const first = await load();
		expect(await readSaves(server.host)).not.toEqual(before);
		first.press(key);
		if (code === undefined) {
			await first.waitFor('The old rules are back');
		} else {
			expect(await first.ended).toBe(code);
		}

		expect(ownLines(JSON.stringify(await readSaves(server.host)))).toEqual([]);
	});
});

/** Waits until the wizard has looked again: its clock has moved on, by more than it takes to look. */
async function moment(terminal: Terminal): Promise<void> {
	const seconds = () => Number(/restored in (\d+) s/.exec(terminal.screen())?.[1]);
	const start = seconds();
	await terminal.waitFor(() => seconds() <= start - 2);
}
