import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';
import {goOn, walkTo} from '../_helpers/ui/journey.ts';
import {type Login, makeLogin, ROOT} from './login.ts';

const APPLY = 'Load these rules now?';
const FLAGS = ['--role', 'server', '--verdict', 'drop', '--open', '22,4444/tcp'];
/** The last thing said; once for each time it asked. */
const ASKED = /password for fww-user:$/;
const ANSWERED = /-p tcp -m (?:multiport --dports 22,4444|tcp --dport 4444) -j ACCEPT/;

describe('an ordinary user goes on as root', () => {
	const lab = useLab();
	const terminals = useTerminals();
	let host: Host;
	let login: Login;

	beforeAll(async () => {
		host = await lab.host();
		await host.ip([
			'link add eth0 type veth peer name eth1',
			'address add 192.0.2.1/24 dev eth0',
			'link set eth1 up',
			'link set eth0 up',
		]);
		login = await makeLogin(host);
	});
	afterAll(() => login?.remove());

	const open = (...args: readonly string[]): Terminal =>
		terminals.start([...login.words, ...FLAGS, ...args], {
			...login,
			variables: {...login.variables, LANG: 'C', NO_COLOR: '1'},
			columns: 100,
			rows: 30,
		});
	/** Loads and keeps what root's wizard shows, and leaves it. */
	const load = async (terminal: Terminal) => {
		const apply = await terminal.waitFor('Apply: load the rules');
		expect(apply).toContain(APPLY);
		terminal.press('enter');
		await terminal.waitFor('type keep and press Enter');
		terminal.type('keep\r');
		await terminal.waitFor('Loaded and read back');
	};

	/** As root, by the same program. */
	const asRoot = async (...args: readonly string[]) =>
		host.must(login.words[0] ?? '', [...login.words.slice(1), ...args]);

	test('through sudo, and loses no answer by a wrong password', async () => {
		// What only root can read must not mix with the answers.
		await asRoot('apply', '--role', 'workstation', '--helper', 'tftp', '--log', '--yes');
		const terminal = open('--confirm-within', '77');
		await walkTo(terminal, 'Does it do what you chose?');
		await goOn(terminal, APPLY);
		expect(terminal.screen()).toContain('Continue as root, through sudo');
		terminal.press('enter');
		await terminal.waitFor(ASKED);
		expect(terminal.buffer()).toBe('normal');
		terminal.type('wrong\r');
		const back = await terminal.waitFor('sudo refused');
		expect(terminal.buffer()).toBe('alternate');
		expect(back).toContain(APPLY);
		expect((await readSaves(host)).ipv4).not.toMatch(ANSWERED);

		terminal.press('enter');
		await terminal.waitFor(ASKED);
		terminal.type(`${login.password}\r`);
		await terminal.waitFor('Apply: load the rules');
		// The new size reaches it through sudo's own terminal.
		terminal.resize(90, 28);
		await terminal.waitFor((screen) => /^.{86}---$/m.test(screen));
		await load(terminal);
		const {ipv4, ipv6} = await readSaves(host);
		for (const save of [ipv4, ipv6]) {
			expect(save).toMatch(ANSWERED);
			expect(save).toContain('-A FW-WIZARD-INPUT -j DROP');
			expect(save).not.toMatch(/tftp|LOG/);
		}

		// Root's screen is drawn for the same terminal: no colour, nothing but ASCII.
		expect([...terminal.output()].filter((character) => character > '~')).toEqual([]);
		// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
		expect(terminal.output()).not.toMatch(/\u001B\[[\d;]*3[0-8]/);
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(terminal.buffer()).toBe('normal');
		expect(terminal.screen()).toContain('To undo it: ');
		await asRoot('undo', '--all');
	});

	test('through su where there is no sudo', async () => {
		await host.must('mount', ['--bind', '/dev/null', '/usr/bin/sudo']);
		try {
			const terminal = open();
			await walkTo(terminal, APPLY);
			expect(terminal.screen()).toContain('Continue as root, through su');
			terminal.press('enter');
			await terminal.waitFor(/^Password:$/m);
			terminal.type(`${ROOT.password}\r`);
			await load(terminal);
			expect((await readSaves(host)).ipv4).toMatch(ANSWERED);
			terminal.press('enter');
			expect(await terminal.ended).toBe(0);
			await asRoot('undo', '--all');
		} finally {
			await host.must('umount', ['/usr/bin/sudo']);
		}
	});

	test('ends as root ended, and leaves the machine as it was', async () => {
		const terminal = open();
		await walkTo(terminal, APPLY);
		terminal.press('enter');
		await terminal.waitFor(ASKED);
		terminal.type(`${login.password}\r`);
		await terminal.waitFor('Apply: load the rules');
		terminal.press('ctrlC');
		expect(await terminal.ended).toBe(130);
		expect(terminal.screen()).toContain('Nothing was changed.');
		expect((await readSaves(host)).ipv4).not.toContain('FW-WIZARD');
	});

	test('is told that root cannot read the program', async () => {
		const terminal = open();
		await walkTo(terminal, APPLY);
		// As root_squash does on NFS: to root it is not there.
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', login.home]);
		try {
			terminal.press('enter');
			await terminal.waitFor(ASKED);
			terminal.type(`${login.password}\r`);
			expect(await terminal.waitFor('Root may not read')).toContain(
				'All your answers are still here',
			);
		} finally {
			await host.must('umount', [login.home]);
		}
	});
});
