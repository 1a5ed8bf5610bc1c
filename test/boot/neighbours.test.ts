import {beforeAll, describe, expect, test, vi} from 'vitest';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {filterLines, readAll} from '../_helpers/samples/existing-rules.ts';
import {logIn, runThere} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

const POLICY = ['--role', 'server', '--open', '22/tcp'];
const OWN_JUMP = '-A INPUT -j FW-WIZARD-INPUT';
const NATIVE =
	'table inet mine { chain in { type filter hook input priority 5; udp dport 9 drop; }; }';

/** The programs themselves, as Debian's packages have them, with systemd and D-Bus. */
describe('neighbours that run', () => {
	const lab = useLab();
	const debians = useDebians(lab);
	const terminals = useTerminals();
	let debian: Debian;
	let host: Host;

	beforeAll(async () => {
		debian = await debians.boot('bookworm', {
			'/etc/fail2ban/jail.d/fww.conf':
				'[sshd]\nenabled = true\nbackend = polling\nlogpath = /var/log/fww.log\n',
			'/var/log/fww.log': '',
		});
		host = debian.host;
		await debian.install();
		await host.must('nft', ['-f', '-'], {input: NATIVE});
		// With Debian's file, which flushes.
		await host.must('systemctl', ['--quiet', 'enable', 'nftables']);
	}, 600_000);

	const apply = async (...flags: readonly string[]) =>
		host.must('node', [PROGRAM, 'apply', ...POLICY, ...flags]);
	const undo = async () => host.must('node', [PROGRAM, 'undo']);
	const readRules = async (): Promise<Readonly<Record<string, string>>> => ({
		...(await readAll(host)),
		mine: await host.must('nft', ['list', 'table', 'inet', 'mine']),
	});
	const input = (rules: Readonly<Record<string, string>>, family = 4) =>
		filterLines(rules[`nft ${family}`] ?? '', '-A INPUT');
	/** What is said of who is there. */
	const meanings = async (): Promise<Readonly<Record<string, string>>> => {
		const {neighbours} = JSON.parse(await host.must('node', [PROGRAM, 'facts', '--json']));
		return Object.fromEntries(
			neighbours.map(({name, means}: Record<string, string>) => [name, means]),
		);
	};
	const enableUfw = async () => {
		for (const words of ['allow 22/tcp', 'limit 8080/tcp', '--force enable']) {
			await host.must('ufw', words.split(' '));
		}
	};
	/** It is refused, and nothing is touched. */
	const isRefused = async (owner: string) => {
		const before = await readRules();
		const {status, stderr} = await host.run('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
		expect({status, stderr}).toEqual({
			status: 3,
			stderr: `fw-wizard: ${owner} owns the firewall of this machine\nStay with it; or let it be switched off, which undo reverses: --switch-off ${owner}\n`,
		});
		expect(await readRules()).toEqual(before);
	};
	/** Nobody confirms it: the watchdog puts everything back. */
	const isLeftAlone = async (owner: string) => {
		const limit = ['--confirm-within', '10'];
		const words = [PROGRAM, 'apply', ...POLICY, '--switch-off', owner, ...limit];
		const {status, stderr} = await host.run('node', words);
		expect({status, stderr}).toEqual({
			status: 4,
			stderr: expect.stringContaining('was not confirmed and is rolled back'),
		});
	};

	test('fail2ban: its bans are kept, or gone and back, with those that came meanwhile', async () => {
		const ban = async (address: string) =>
			host.must('fail2ban-client', ['set', 'sshd', 'banip', address]);
		const banned = (rules: Readonly<Record<string, string>>) =>
			filterLines(rules['nft 4'] ?? '', '-A f2b-sshd').join('\n');
		await host.must('systemctl', ['start', 'fail2ban']);
		await vi.waitFor(async () => ban('198.51.100.66'), {timeout: 20_000, interval: 200});
		const before = await vi.waitFor(
			async () => {
				const rules = await readRules();
				expect(banned(rules)).toContain('198.51.100.66/32');
				return rules;
			},
			{timeout: 20_000, interval: 200},
		);
		const [jump = ''] = input(before);
		expect(jump).toMatch(/^-A INPUT .*-j f2b-sshd$/);
		expect(await meanings()).toEqual({
			'nftables.service': expect.stringMatching(/^It wipes the rules of everybody/),
			'table inet mine': expect.stringContaining('what it drops stays blocked'),
			fail2ban: 'Its bans come before our rules and keep working',
		});

		await apply('--yes');
		expect(input(await readRules())).toEqual([jump, OWN_JUMP]);
		await undo();
		expect(await readRules()).toEqual(before);

		expect(await apply('--existing', 'flush-input', '--yes')).toContain('IPv4: 1 rule of INPUT');
		expect(input(await readRules())).toEqual([OWN_JUMP]);
		expect((await readRules()).mine).toBe(before.mine);
		// It finds that its jump is gone, and makes it anew.
		await ban('198.51.100.77');
		await vi.waitFor(async () => expect(banned(await readRules())).toContain('.77/32'), {
			timeout: 20_000,
			interval: 200,
		});
		await undo();
		const after = await readRules();
		expect(input(after)).toEqual([jump]);
		expect(banned(after)).toContain('198.51.100.66/32');
		expect(banned(after)).toContain('198.51.100.77/32');

		await apply('--existing', 'flush-filter', '--yes');
		expect(filterLines((await readRules())['nft 4'] ?? '', '-A f2b')).toEqual([]);
		await undo();
		expect(await readRules()).toEqual(after);
		await host.must('systemctl', ['stop', 'fail2ban']);
	}, 120_000);

	test('ufw: is refused beside, switched off with its rules, and back as it was', async () => {
		await enableUfw();
		await host.must('systemctl', ['--quiet', 'enable', 'ufw']);
		const before = await readRules();
		expect(before['nft 4']).toContain('--dport 8080');
		expect(await meanings()).toMatchObject({ufw: expect.stringMatching(/^It owns the firewall/)});
		await isRefused('ufw');
		await isLeftAlone('ufw');
		expect(await readRules()).toEqual(before);
		expect(await host.must('ufw', ['status'])).toContain('Status: active');

		await apply('--switch-off', 'ufw', '--yes');
		const without = await readRules();
		expect(Object.values(without).join('')).not.toContain('ufw');
		expect([4, 6].map((family) => input(without, family))).toEqual([[OWN_JUMP], [OWN_JUMP]]);
		expect(await host.must('ufw', ['status'])).toContain('Status: inactive');
		expect((await host.run('systemctl', ['is-enabled', 'ufw'])).stdout).toBe('disabled\n');

		await undo();
		expect(await readRules()).toEqual(before);
		expect(await host.must('systemctl', ['is-enabled', 'ufw'])).toBe('enabled\n');
		expect(await host.must('ufw', ['status'])).toContain('Status: active');
		await host.must('ufw', ['reload']);
		expect(await readRules()).toEqual(before);
		await host.must('ufw', ['disable']);
	}, 120_000);

	test('ufw: the wizard says what goes, or ends; and starts from what ufw lets in', async () => {
		await enableUfw();
		const before = await readRules();
		const wizard = async () => {
			const terminal = logIn(terminals, debian, `node ${PROGRAM}`);
			expect(await terminal.waitFor('Review this setup')).toMatch(/^ufw: it owns the firewall/m);
			terminal.press('down', 'down');
			await terminal.waitFor('> Answer each question');
			terminal.press('enter');
			await terminal.waitFor('Keep or remove them?');
			return terminal;
		};
		const left = await wizard();
		left.press('down');
		await left.waitFor('> End here');
		left.press('enter');
		expect(await left.ended).toBe(130);
		expect(await readRules()).toEqual(before);

		const terminal = await wizard();
		expect(terminal.screen()).toMatch(/> Switch ufw off\. .*\(recommended\)/);
		terminal.press('enter');
		await terminal.waitFor('What is this machine?');
		terminal.press('enter');
		await terminal.waitFor('What happens to a blocked connection');
		terminal.press('enter');
		const ports = await terminal.waitFor('Which ports should be open?');
		expect(ports).toMatch(/\[x\] 22\/tcp +open/);
		expect(ports).toMatch(/\[x\] 8080\/tcp limit/);
		terminal.press('enter');
		await terminal.waitFor('ufw is switched off.');
		terminal.press('enter');
		await terminal.waitFor('packets in');
		terminal.press('enter');
		await terminal.waitFor('Load these rules now?');
		terminal.press('enter');
		await terminal.waitFor('Can you still log in?');
		// What ufw let in lets in whoever shows that it does.
		expect(await runThere(debian, 'sleep 3')).toMatchObject({status: 0});
		await terminal.waitFor(/New login from .* seen/);
		terminal.press('enter');
		await terminal.waitFor('Loaded and read back');
		expect(Object.values(await readRules()).join('')).not.toContain('ufw');
		expect(await host.must('ufw', ['status'])).toContain('Status: inactive');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		await undo();
		expect(await readRules()).toEqual(before);
		expect(await host.must('ufw', ['status'])).toContain('Status: active');
		await host.must('ufw', ['disable']);
	}, 120_000);
});
