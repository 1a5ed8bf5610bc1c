import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, withShortCommands, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';

const OPEN = ['22/tcp', '5432/tcp from 10.0.0.0/8'].flatMap((opening) => ['--open', opening]);

/** Rules of other programs, before those of fw-wizard. */
const OTHERS = `\
*filter
:f2b-sshd - [0:0]
-I INPUT -p tcp -m tcp --dport 9000 -j ACCEPT
-I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A f2b-sshd -s 203.0.113.60/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sshd -j RETURN
COMMIT
`;

/** The words behind `why`, and what is printed. */
const CASES: ReadonlyArray<readonly [string, ...string[]]> = [
	[
		'22',
		'22/tcp from any address (IPv4 and IPv6) on eth0: open (accepted)\n',
		'  Whose rule: fw-wizard, table filter. You opened 22/tcp\n  node listens.\n  To close it: fw-wizard close 22/tcp\n',
	],
	[
		`${INSIDE.probe} 3306`,
		`3306/tcp from ${INSIDE.probe} on eth0: blocked (rejected: the sender is told "port unreachable")\n`,
		'  node listens, but for this machine alone.\n',
		`  To open it: fw-wizard open '3306/tcp from ${INSIDE.probe}', or for everybody: fw-wizard open 3306/tcp\n`,
	],
	[`${INSIDE.probe} 5432`, ': open (accepted)\n', 'You opened 5432/tcp from 10.0.0.0/8\n'],
	[`${OUTSIDE.probe} 5432`, ': blocked (rejected', 'Nothing listens on 5432/tcp.\n'],
	['203.0.113.9 22', ': blocked (dropped', 'The policy blocks this source, whatever is open.'],
	[
		'203.0.113.60 22',
		': blocked (rejected',
		'Whose rule: fail2ban, table filter\n',
		'To lift the ban: fail2ban-client unban 203.0.113.60\n',
	],
	[
		'192.0.2.7 9000',
		': open (accepted)\n',
		'Whose rule: no known program',
		'does not change this rule',
	],
	[`${OUTSIDE.target} 80`, ' on lo: open (accepted)\n', 'talking to each other'],
];

describe.each(mainly('nft'))('why a port is open or not (%s)', (backend) => {
	const lab = useLab();
	let target: Host;

	beforeAll(async () => {
		({target} = await joinedPair(lab, backend));
		await target.ip(['route add default via 198.51.100.2', 'route add default via 2001:db8::2']);
		await serve(target, 'tcp:22');
		const listen = JSON.stringify({protocol: 'tcp', host: '127.0.0.1', port: 3306});
		await target.start(
			process.execPath,
			[new URL('../_helpers/lab/listening.js', import.meta.url).pathname, listen],
			/ready/,
		);
	});

	test('before a policy is applied', async () => {
		expect(withShortCommands(await wizardDoes(target, 'why', '22'))).toContain(
			'No policy is applied. To choose one: fw-wizard\n',
		);
	});

	test('names the rule, whose it is, and what changes it', async () => {
		await wizardDoes(target, 'apply', '--role', 'server', ...OPEN, '--block', '203.0.113.9');
		await target.must('iptables-restore', ['--noflush'], {input: OTHERS});
		for (const [words, ...texts] of CASES) {
			const {status, stdout, stderr} = await wizard(target, 'why', ...words.split(' '));
			expect({words, status, stderr}).toEqual({words, status: 0, stderr: ''});
			for (const text of texts) {
				expect(withShortCommands(stdout), words).toContain(text);
			}
		}
	}, 120_000);

	test('says the same as a packet in a copy of the machine', async () => {
		for (const words of [
			'192.0.2.7 22',
			'203.0.113.60 22',
			'192.0.2.7 9000',
			'192.0.2.7 443/udp',
		]) {
			const {status, stdout} = await wizard(
				target,
				'why',
				'--json',
				'--prove',
				...words.split(' '),
			);
			expect(status).toBe(0);
			for (const {fate, proven} of JSON.parse(stdout).answers) {
				expect(proven.fate, words).toBe(fate);
			}
		}
	}, 120_000);

	test('is unknown to an ordinary user', async () => {
		const user = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', process.execPath, CLI];
		const {status, stdout} = await target.run('setpriv', [...user, 'why', '22']);
		expect(status).toBe(3);
		expect(stdout).toContain(': unknown, only root can read the loaded rules');
	});

	test.each([
		['a range', ['8000-8010/tcp'], 'Name one port'],
		['a word too many', ['192.0.2.7', '22', '23'], 'a word too many'],
		['no address', ['\u001B[2J', '22'], '"?[2J" is not an IP address'],
		['no interface', ['22', '--on', '../x y'], 'is not the name of an interface'],
	])('refuses %s', async (_, words, message) => {
		const {status, stderr} = await wizard(target, 'why', ...words);
		expect(status).toBe(2);
		expect(stderr).toContain(message);
	});
});
