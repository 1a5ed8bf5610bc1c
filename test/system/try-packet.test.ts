import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import type {Exposure} from '../../source/exposure/model.ts';
import type {PacketAnswer} from '../../source/ruleset/explain.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';
import {openDock} from './containers.ts';

/** Rules of several programs, in all tables of iptables. */
const KEPT = {
	4: `\
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 203.0.113.50/32 -j DROP
-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 2049 ! -s 10.0.0.0/8 -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8081
-A DOCKER -s 198.51.100.0/24 ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 9090 -j DNAT --to-destination 172.17.0.2:90
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:f2b-sshd - [0:0]
-A INPUT -m set --match-set crowdsec src -j DROP
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT
-A FORWARD -d 172.17.0.2/32 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A f2b-sshd -s 203.0.113.60/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sshd -j RETURN
COMMIT
`,
	6: `\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -s fe80::/10 -p tcp -m tcp --dport 7000 -j ACCEPT
-A INPUT ! -s 2001:db8:9::/48 -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
};

/** Bans, a redirection and a chain at ingress in tables of nftables. */
const NATIVE = `\
table inet ban {
	set banned {
		type ipv4_addr
		flags interval,timeout
		elements = { 203.0.113.80 timeout 1h, 203.0.113.96/28 }
	}
	chain first {
		type filter hook prerouting priority raw
		ip saddr @banned udp dport 123 drop
	}
	chain input {
		type filter hook input priority filter - 5
		ip saddr @banned tcp dport 22 reject with tcp reset
		ip6 saddr 2001:db8:66::/48 drop
	}
	chain arriving {
		type nat hook prerouting priority dstnat
		tcp dport 4444 redirect to :22
	}
}
table netdev early {
	chain ingress {
		type filter hook ingress device "eth0" priority 0
		ip saddr 203.0.113.20 drop
	}
}
`;

const OPEN = ['22/tcp', '53/udp', '80/tcp', '2049/tcp', 'esp'].flatMap((opening) => [
	'--open',
	opening,
]);

/** A packet, what becomes of it, and words of the rules that do it. */
const CASES: ReadonlyArray<readonly [string, string, ...string[]]> = [
	['tcp 22 from 203.0.113.50', 'dropped', '-s 203.0.113.50/32 -j DROP, in raw'],
	['tcp 22 from 203.0.113.60', 'rejected', '-A f2b-sshd -s 203.0.113.60/32', '(fail2ban)'],
	['esp from 203.0.113.130', 'dropped', '--match-set crowdsec src -j DROP'],
	['tcp 22 from 192.0.2.7', 'accepted', '-A FW-WIZARD-INPUT -p tcp'],
	['tcp 23 from 192.0.2.7', 'rejected', '-A FW-WIZARD-INPUT -j REJECT'],
	['tcp 3306 from 192.0.2.7', 'accepted', '-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT'],
	['tcp 8080 from 198.51.100.7', 'forwarded to 172.17.0.2:80', '--to-destination 172.17.0.2:80'],
	['tcp 8080 from 192.0.2.7', 'rejected', '-A FW-WIZARD-INPUT -j REJECT'],
	['tcp 9090 from 192.0.2.7', 'dropped', '172.17.0.2:90', 'the policy DROP of FORWARD'],
	['tcp 80 from 192.0.2.7', 'rejected', '--to-ports 8081', '-A FW-WIZARD-INPUT -j REJECT'],
	['udp 53 from 192.0.2.7', 'accepted', '--notrack', '-A FW-WIZARD-INPUT -p udp'],
	['tcp 2049 from 192.0.2.7', 'dropped', 'in mangle'],
	['tcp 2049 from 10.1.1.1', 'accepted', '-A FW-WIZARD-INPUT'],
	['icmp from 192.0.2.7', 'accepted', '-p icmp -j ACCEPT'],
	['gre from 192.0.2.7', 'rejected', '-A FW-WIZARD-INPUT -j REJECT'],
	['tcp 80 from 192.0.2.7 to 172.17.0.9 on eth0', 'rejected', '--to-ports 8081'],
	['tcp 81 from 192.0.2.7 to 172.17.0.2', 'dropped', 'the policy DROP of FORWARD'],
	['tcp 7000 from fe80::77', 'accepted', '-s fe80::/10 -p tcp'],
	['tcp 22 from 2001:db8:7::7', 'dropped', '--dport 22 -j DROP'],
	['esp from 2001:db8:9::7', 'accepted', 'FW-WIZARD-INPUT'],
	['tcp 22 from 198.51.100.1', 'unknown'],
];

const NATIVE_CASES: typeof CASES = [
	['tcp 22 from 203.0.113.80', 'rejected', '@banned tcp dport 22 reject with tcp reset'],
	['tcp 22 from 203.0.113.101', 'rejected', 'in inet ban, chain input'],
	['udp 123 from 203.0.113.101', 'dropped', '@banned udp dport 123 drop'],
	['tcp 4444 from 192.0.2.7', 'accepted, redirected to', 'redirect to :22', 'FW-WIZARD-INPUT'],
	['icmp from 203.0.113.20', 'dropped', 'in netdev early'],
	['esp from 2001:db8:66::6', 'dropped', 'ip6 saddr 2001:db8:66::/48 drop'],
];

/** Rules that remember who came before, of whom 203.0.113.70 is one. */
const LIMITS = `\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -m recent --name trap --rcheck -j DROP
-A INPUT -p tcp -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name ssh -j DROP
COMMIT
`;

const LIMIT_CASES: typeof CASES = [
	['tcp 22 from 203.0.113.70', 'dropped', '-m recent --rcheck --name trap'],
	['tcp 22 from 192.0.2.7', 'accepted', 'FW-WIZARD-INPUT'],
	['tcp 22 from 192.0.2.7', 'accepted', 'FW-WIZARD-INPUT'],
];

/** Where the policy governs published ports. */
const PUBLISHED_CASES: typeof CASES = [
	[
		'tcp 8080 from 198.51.100.9',
		'forwarded to 172.17.0.2:80',
		'--to-destination 172.17.0.2:80, in nat',
		'of FW-WIZARD-FORWARD: -A FW-WIZARD-FORWARD -s 198.51.100.0/24 -p tcp',
	],
	[
		'tcp 9090 from 192.0.2.7',
		'dropped',
		'--to-destination 172.17.0.2:90, in nat',
		'of FW-WIZARD-FORWARD: -A FW-WIZARD-FORWARD -m conntrack --ctstate DNAT --ctdir ORIGINAL -j DROP, in mangle',
	],
	[
		'tcp 90 from 198.51.100.9 to 172.17.0.2',
		'dropped',
		'of FW-WIZARD-FORWARD: -A FW-WIZARD-FORWARD -o docker+ -j DROP, in mangle',
	],
];

async function answersOf(
	host: Host,
	cases: typeof CASES,
	...more: readonly string[]
): Promise<readonly PacketAnswer[]> {
	const packets = cases.flatMap(([packet]) => ['--packet', packet]);
	const words = ['--json', '--role', 'server', ...OPEN, ...packets];
	words.push(...(more.length > 0 ? more : ['--published', 'leave']));
	const program = [CLI, 'exposure', ...words];
	return JSON.parse(await host.must(process.execPath, program, {timeout: 200_000})).after;
}

function expectAnswers(answers: readonly PacketAnswer[], cases: typeof CASES): void {
	expect(answers).toHaveLength(cases.length);
	for (const [index, [packet, outcome, ...rules]] of cases.entries()) {
		const answer = answers[index];
		expect(answer?.outcome, packet).toMatch(new RegExp(`^${outcome}`));
		for (const rule of rules) {
			expect(answer?.rules.join('\n'), packet).toContain(rule);
		}
	}
}

describe.each(mainly('nft'))('a packet meets all rules that stay, and ours (%s)', (backend) => {
	const lab = useLab();
	let target: Host;

	beforeAll(async () => {
		({target} = await openDock(lab, backend));
		await target.must('ipset', ['restore'], {
			input: 'create crowdsec hash:net timeout 3600\nadd crowdsec 203.0.113.128/25\n',
		});
		await target.must('iptables-restore', [], {input: KEPT[4]});
		await target.must('ip6tables-restore', [], {input: KEPT[6]});
	});

	test('of iptables', async () => {
		expectAnswers(await answersOf(target, CASES), CASES);
	}, 240_000);

	test('to published ports as well', async () => {
		const flags = ['--published', 'policy', '--open', '8080/tcp from 198.51.100.0/24'];
		const answers = await answersOf(target, PUBLISHED_CASES, ...flags);
		expectAnswers(answers, PUBLISHED_CASES);
	}, 240_000);

	test('of which an ordinary user is told nothing that was not read', async () => {
		await serve(target, 'tcp:3306', 'tcp:80');
		const asUser = async (...args: readonly string[]) => {
			const words = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', process.execPath, CLI];
			const more = ['exposure', '--json', '--role', 'server', ...args];
			return JSON.parse((await target.run('setpriv', [...words, ...more])).stdout);
		};
		const {rows}: Exposure = await asUser();
		const reached = rows.filter(({through}) => through !== 'loopback');
		expect(reached.length).toBeGreaterThan(0);
		expect(new Set(reached.flatMap(({before, after}) => [before, after]))).toEqual(
			new Set(['unknown']),
		);
		const {after} = await asUser('--packet', 'tcp 3306 from 192.0.2.7');
		expect(after.map(({fate}: PacketAnswer) => fate)).toEqual(['unknown']);
		expect(after[0].rules[0]).toMatch(/^By the new rules alone: rejected/);
	}, 240_000);

	test('that remember who came before', async () => {
		await target.must('iptables-restore', [], {input: LIMITS});
		await target.must('tee', ['/proc/net/xt_recent/trap'], {input: '+203.0.113.70\n'});
		expectAnswers(await answersOf(target, LIMIT_CASES), LIMIT_CASES);
	}, 240_000);

	test('and of nftables', async () => {
		await target.must('nft', ['-f', '-'], {input: NATIVE});
		expectAnswers(await answersOf(target, NATIVE_CASES), NATIVE_CASES);
	}, 240_000);
});
