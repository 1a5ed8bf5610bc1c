import {beforeAll, describe, expect, test, vi} from 'vitest';
import type {Exposed, Exposure} from '../../source/exposure/model.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {ask, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {type Dock, openDock} from './containers.ts';

const ADDRESSES = {4: OUTSIDE.target, 6: IPV6.target} as const;
const PLAN = [
	...['--role', 'server', '--open', '22/tcp', '--open', '9000/tcp'],
	...['--published', 'leave'],
];

/** The same, where the policy governs published ports. */
const GOVERNED = [...PLAN.slice(0, -1), 'policy', '--open', '8080/tcp'];

/** `22/tcp IPv4+6 from anywhere: open, shut` */
function say({protocol, ports, families, from, before, after}: Exposed): string {
	const numbers = ports
		.map(({first, last}) => (first === last ? first : `${first}-${last}`))
		.join(',');
	return `${numbers}/${protocol} IPv${families.join('+')} from ${from}: ${before}, ${after}`;
}

async function exposureOf(host: Host, ...args: readonly string[]): Promise<Exposure> {
	return JSON.parse(await wizardDoes(host, 'exposure', '--json', ...args));
}

/** The services, as many as there are rows, that answer somebody outside. */
async function answering(probe: Host, services: readonly string[]): Promise<readonly string[]> {
	const answers = await Promise.all(
		services.flatMap((service) =>
			([4, 6] as const).map(async (family) => {
				const [port = '', protocol] = service.split('/') as [string, 'tcp' | 'udp'];
				const answer = await ask(probe, protocol, ADDRESSES[family], Number(port));
				return answer.includes('hello') ? [`${service} IPv${family}`] : [];
			}),
		),
	);
	return answers.flat();
}

/** The same by the exposure. */
function open(rows: readonly Exposed[], when: 'before' | 'after'): readonly string[] {
	return rows
		.filter((row) => row.listens && row[when] === 'open')
		.flatMap(({protocol, ports, families}) =>
			families.flatMap((family) => ports.map(({first}) => `${first}/${protocol} IPv${family}`)),
		);
}

/** A container's port, published as Docker does it; INPUT rejects all. */
const PUBLISHED = (to: string, reject: string) => `\
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination ${to}:80
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination ${to}:81
-A DOCKER ! -i docker0 -p udp -m udp --dport 8053 -j DNAT --to-destination ${to}:53
-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ${reject.startsWith('icmp6') ? 'ipv6-icmp' : 'icmp'} -j ACCEPT
-A INPUT -j REJECT --reject-with ${reject}
-A FORWARD -j DOCKER-USER
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -d ${to.replaceAll(/[[\]]/g, '')} -o docker0 -j ACCEPT
-A DOCKER-USER -p tcp -m tcp --dport 81 -j DROP
COMMIT
`;

const SERVICES = ['22/tcp', '2222/tcp', '8080/tcp', '8081/tcp', '8053/udp', '9000/tcp'];

describe.each(mainly('legacy'))('a published port, by iptables (%s)', (backend) => {
	const lab = useLab();
	let dock: Dock;

	beforeAll(async () => {
		dock = await openDock(lab, backend, 'tcp:80', 'tcp:81', 'udp:53');
		const {target} = dock;
		await serve(target, 'tcp:22', 'tcp:9000');
		const four = PUBLISHED('172.17.0.2', 'icmp-port-unreachable');
		const six = PUBLISHED('[fd00:d0c::2]', 'icmp6-port-unreachable');
		await target.must('iptables-restore', [], {input: four});
		await target.must('ip6tables-restore', [], {input: six});
	});

	test('is reachable though INPUT rejects all, and is said to be so', async () => {
		const {rows, tried, unread} = await exposureOf(dock.target, ...PLAN);
		expect({tried, unread}).toEqual({tried: true, unread: []});
		expect(rows.map(say)).toEqual([
			'8053/udp IPv4+6 from anywhere: open, open',
			'8080/tcp IPv4+6 from anywhere: open, open',
			'22/tcp IPv4+6 from anywhere: shut, shut',
			'8081/tcp IPv4+6 from anywhere: shut, shut',
			'9000/tcp IPv4+6 from anywhere: shut, shut',
		]);
		expect(rows.find(({ports}) => ports[0]?.first === 8080)).toMatchObject({
			through: 'a container',
			by: 'Docker',
			to: '172.17.0.2:80, [fd00:d0c::2]:80',
		});
		expect([...(await answering(dock.probe, SERVICES))].sort()).toEqual(
			[...open(rows, 'before')].sort(),
		);
	});

	test('stays reachable under a policy, which opens what is behind the old rules', async () => {
		for (const program of ['iptables', 'ip6tables']) {
			await dock.target.must(program, ['-D', 'INPUT', '4']);
		}

		const {rows} = await exposureOf(dock.target, ...PLAN);
		await wizardDoes(dock.target, 'apply', ...PLAN);
		const answered = [...(await answering(dock.probe, SERVICES))].sort();
		expect(answered).toEqual([...open(rows, 'after')].sort());
		expect(answered).toContain('2222/tcp IPv6');
		const now = await exposureOf(dock.target);
		expect(now.rows.map(({before}) => before)).toEqual(now.rows.map(({after}) => after));
		expect([...open(now.rows, 'before')].sort()).toEqual(answered);

		const governed = await exposureOf(dock.target, ...GOVERNED);
		const published = governed.rows.filter(({through}) => through === 'a container');
		expect(published.map(say)).toEqual([
			'8053/udp IPv4+6 from anywhere: open, shut',
			'8080/tcp IPv4+6 from anywhere: open, open',
			'8081/tcp IPv4+6 from anywhere: shut, shut',
		]);
		await wizardDoes(dock.target, 'apply', ...GOVERNED);
		expect([...(await answering(dock.probe, SERVICES))].sort()).toEqual(
			[...open(governed.rows, 'after')].sort(),
		);
	});
});

/** The same without iptables: what it forwards, redirects and refuses is in one table of nftables. */
const NATIVE = `
table inet shop {
	chain arriving {
		type nat hook prerouting priority dstnat;
		iifname != "docker0" meta nfproto ipv4 tcp dport 8080 dnat ip to 172.17.0.2:80
		iifname != "docker0" meta nfproto ipv6 tcp dport 8080 dnat ip6 to [fd00:d0c::2]:80
		iifname != "docker0" meta nfproto ipv4 tcp dport 8081 dnat ip to 172.17.0.2:81
		iifname != "docker0" meta nfproto ipv6 tcp dport 8081 dnat ip6 to [fd00:d0c::2]:81
		tcp dport 2222 redirect to :22
	}
	chain input {
		type filter hook input priority filter;
		iif lo accept
		ct state established,related accept
		meta l4proto { icmp, ipv6-icmp } accept
		tcp dport 22 accept
		reject
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "docker0" accept
		tcp dport 81 drop
		ct status dnat accept
	}
}
`;

describe('a published port, by nftables alone', () => {
	const lab = useLab();

	test('is reachable, and is said to be so, now and under a policy', async () => {
		const {target, probe} = await openDock(lab, 'nft', 'tcp:80', 'tcp:81');
		await serve(target, 'tcp:22', 'tcp:9000');
		await target.must('nft', ['-f', '-'], {input: NATIVE});
		const {rows, tried, unread} = await exposureOf(target, ...PLAN);
		expect({tried, unread}).toEqual({tried: true, unread: []});
		expect(rows.map(say)).toEqual([
			'22/tcp IPv4+6 from anywhere: open, open',
			'2222/tcp IPv4 from anywhere: open, open',
			'2222/tcp IPv6 from anywhere: open, open',
			'8080/tcp IPv4+6 from anywhere: open, open',
			'8081/tcp IPv4+6 from anywhere: shut, shut',
			'9000/tcp IPv4+6 from anywhere: shut, shut',
		]);
		expect(rows.find(({ports}) => ports[0]?.first === 8080)).toMatchObject({
			to: '172.17.0.2:80, [fd00:d0c::2]:80',
		});
		const expected = [...open(rows, 'before')].sort();
		expect([...(await answering(probe, SERVICES))].sort()).toEqual(expected);
		await wizardDoes(target, 'apply', ...PLAN);
		expect([...(await answering(probe, SERVICES))].sort()).toEqual(expected);
	});
});

describe.each(mainly('nft'))('among 20,000 rules for addresses of others (%s)', (backend) => {
	const lab = useLab();

	test('every port is tried, and those that let in who looks', async () => {
		const {target, probe} = await joinedPair(lab, backend);
		await serve(target, 'tcp:22', 'tcp:9000', 'udp:53');
		const others = (chain: string, count: number, action: string) =>
			Array.from(
				{length: count},
				(_, index) =>
					`-A ${chain} -s 198.${action === 'DROP' ? 18 : 19}.${index >> 8}.${index & 255}/32 -p tcp -m tcp --dport ${2000 + (index % 200)} -j ${action}`,
			);
		const input = [
			...['*filter', ':INPUT DROP', ':banned -', '-A INPUT -j banned'],
			...others('banned', 10_000, 'DROP'),
			'-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j ACCEPT',
			'-A INPUT -p udp -m udp --dport 53 -j ACCEPT',
			...['COMMIT', '*mangle', ':PREROUTING ACCEPT', ':marked -', '-A PREROUTING -j marked'],
			...others('marked', 12, 'RETURN'),
			...others('marked', 10_000, 'DROP'),
			...['COMMIT', ''],
		];
		await target.must('iptables-restore', [], {input: input.join('\n')});
		await target.must('ip6tables', ['-P', 'INPUT', 'DROP']);
		const {rows, tried} = await exposureOf(target);
		expect(tried).toBe(true);
		expect(rows.map(say)).toEqual([
			'22/tcp IPv4 from 198.51.100.0/24: open, undefined',
			'53/udp IPv4 from anywhere: open, undefined',
			'22/tcp IPv4+6 from anywhere: shut, undefined',
			'53/udp IPv6 from anywhere: shut, undefined',
			'9000/tcp IPv4+6 from anywhere: shut, undefined',
		]);
		expect(await answering(probe, ['22/tcp', '9000/tcp', '53/udp'])).toEqual([
			'22/tcp IPv4',
			'53/udp IPv4',
		]);
	});
});

describe('a machine', () => {
	const lab = useLab();

	test('without an interface there is nothing to try, and that is all that is said', async () => {
		const {status, stdout} = await wizard(await lab.host(), 'exposure', '--json', ...PLAN);
		expect(status).toBe(3);
		const {rows, tried, unread} = JSON.parse(stdout);
		expect({rows, tried, unread}).toEqual({
			rows: [],
			tried: false,
			unread: ['No interface was found through which others reach this machine.'],
		});
	});

	test('on a bridge alone is tried, and what no packet was sent for is named', async () => {
		const host = await lab.host();
		await lab.join(
			{host, device: 'eth0', addresses: ['10.9.1.1/24']},
			{host: await lab.host(), device: 'out', addresses: ['10.9.1.2/24']},
		);
		for (const command of [
			'ip link add br0 type bridge',
			'ip addr flush dev eth0',
			'ip link set eth0 master br0',
			'ip addr add 10.9.1.1/24 dev br0',
			'ip link set br0 up',
			'ip rule add from 10.7.7.7 lookup 100',
			'iptables -A INPUT -p tcp --sport 20 -j ACCEPT',
		]) {
			await host.must('sh', ['-c', command]);
		}

		// The kernel tells up to a second later that a bridge has a carrier (net/core/link_watch.c).
		await vi.waitFor(
			async () => expect(await host.must('ip', ['-br', 'link', 'show', 'br0'])).toMatch(/ UP /),
			5000,
		);
		const {tried, unread} = await exposureOf(host);
		expect({tried, unread}).toEqual({
			tried: true,
			unread: [
				expect.stringMatching(
					/^Left out: policy routing .* from 10\.7\.7\.7 .*; packets that meet -A INPUT -p tcp -m tcp --sport 20 -j ACCEPT\.$/,
				),
			],
		});
	});
});
