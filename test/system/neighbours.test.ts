import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import {foreignLines, ownLines, readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const SERVER = [
	'--role',
	'server',
	'--open',
	'ssh,ftp,8080/tcp limit',
	'--helper',
	'ftp',
	'--log',
	'--published',
	'policy',
];

describe.each(mainly('nft'))('beside Docker, fail2ban, libvirt and Tailscale, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let before: {ipv4: string; ipv6: string};

	beforeAll(async () => {
		host = await lab.host({backend});
		for (const [program, text] of Object.entries(NEIGHBOURS)) {
			await host.must(`${program}-restore`, [], {input: text});
		}

		// A native table, as firewalls of other kinds have it.
		await host.must('nft', ['-f', '-'], {input: NATIVE});
		before = withoutEmptyTables(await readSaves(host));
		expect(ownLines(before.ipv4)).toEqual([]);
		// All of it is there: what a save leaves out could not be missed later.
		expect(rulesOf(before.ipv4)).toEqual(rulesOf(NEIGHBOURS.iptables));
		expect(rulesOf(before.ipv6)).toEqual(rulesOf(NEIGHBOURS.ip6tables));
	});

	test.each([
		{policy: SERVER},
		{policy: ['--role', 'workstation', '--verdict', 'reset', '--published', 'leave']},
		{policy: ['--role', 'workstation', '--verdict', 'drop', '--published', 'policy']},
		{policy: SERVER},
		{policy: SERVER},
	])('leaves every other line as it was, %#', async ({policy}) => {
		const native = await host.must('nft', ['list', 'table', 'inet', 'another']);
		await wizardDoes(host, 'apply', ...policy);
		const {ipv4, ipv6} = await readSaves(host);
		expect(foreignLines(ipv4)).toEqual(before.ipv4.split('\n'));
		expect(foreignLines(ipv6)).toEqual(before.ipv6.split('\n'));
		expect(ownLines(ipv4)).toContain('-A INPUT -j FW-WIZARD-INPUT');
		expect(ownLines(ipv6)).toContain('-A INPUT -j FW-WIZARD-INPUT');
		expect(await host.must('nft', ['list', 'table', 'inet', 'another'])).toBe(native);
	});

	test('comes after the rules that were there', async () => {
		await wizardDoes(host, 'apply', ...SERVER);
		const input = (await host.must('iptables', ['-S', 'INPUT'])).trim().split('\n');
		expect(input.at(-1)).toBe('-A INPUT -j FW-WIZARD-INPUT');
	});

	test('leaves alone what they did since', async () => {
		await wizardDoes(host, 'apply', ...SERVER);
		await host.must('iptables', ['-I', 'f2b-sshd', '1', '-s', '192.0.2.67', '-j', 'DROP']);
		await host.must('iptables', ['-I', 'INPUT', '1', '-p', 'tcp', '--dport', '25', '-j', 'DROP']);
		await host.must('ip6tables', ['-A', 'INPUT', '-p', 'tcp', '--dport', '25', '-j', 'DROP']);
		const since = await readSaves(host);
		await wizardDoes(host, 'apply', '--role', 'workstation', '--published', 'policy');
		await wizardDoes(host, 'apply', ...SERVER);
		expect(await readSaves(host)).toEqual(since);
	});

	test('has exactly one jump again after another program took or doubled it', async () => {
		await wizardDoes(host, 'apply', ...SERVER);
		for (const change of ['-D', '-A']) {
			for (const program of ['iptables', 'ip6tables']) {
				await host.must(program, [change, 'INPUT', '-j', 'FW-WIZARD-INPUT']);
				await host.must(program, ['-t', 'raw', change, 'OUTPUT', '-j', 'FW-WIZARD-OUTPUT']);
			}

			await wizardDoes(host, 'apply', ...SERVER);
			for (const text of Object.values(await readSaves(host))) {
				expect(text.match(/^-A INPUT -j FW-WIZARD-INPUT$/gm)).toHaveLength(1);
				expect(text.match(/^-A OUTPUT -j FW-WIZARD-OUTPUT$/gm)).toHaveLength(1);
			}
		}
	});
});

const NATIVE = `\
add table inet another
add set inet another banned { type ipv4_addr; elements = { 192.0.2.99 }; }
add chain inet another early { type filter hook input priority -10; policy accept; }
add rule inet another early ip saddr @banned drop
`;

function rulesOf(save: string): readonly string[] {
	return save
		.split('\n')
		.filter((line) => line.startsWith('-A '))
		.sort();
}
