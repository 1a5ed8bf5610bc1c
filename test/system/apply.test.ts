import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {ask, connect, INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {ownLines, readSaves} from '../_helpers/samples/saves.ts';
import {scan} from '../_helpers/traffic/scan.ts';

const SERVER = [
	...['--role', 'server', '--verdict', 'reject', '--helper', 'ftp'],
	...['--open', 'ssh, 53, 8000-8010/tcp, 9100/tcp from 10.0.0.0/8'],
];

const RAW = `\
:FW-WIZARD-OUTPUT - [0:0]
-A OUTPUT -j FW-WIZARD-OUTPUT
-A FW-WIZARD-OUTPUT -p tcp -m tcp --dport 21 -j CT --helper ftp`.split('\n');

const FILTER_IPV4 = `\
:FW-WIZARD-INPUT - [0:0]
-A INPUT -j FW-WIZARD-INPUT
-A FW-WIZARD-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FW-WIZARD-INPUT -p icmp -j ACCEPT
-A FW-WIZARD-INPUT -i lo -j ACCEPT
-A FW-WIZARD-INPUT -m conntrack --ctstate INVALID -j DROP
-A FW-WIZARD-INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m multiport --dports 22,53,8000:8010 -j ACCEPT
-A FW-WIZARD-INPUT -p udp -m udp --dport 53 -j ACCEPT
-A FW-WIZARD-INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 9100 -j ACCEPT
-A FW-WIZARD-INPUT -j REJECT --reject-with icmp-port-unreachable`.split('\n');

const FILTER_IPV6 = `\
:FW-WIZARD-INPUT - [0:0]
-A INPUT -j FW-WIZARD-INPUT
-A FW-WIZARD-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FW-WIZARD-INPUT -p ipv6-icmp -j ACCEPT
-A FW-WIZARD-INPUT -i lo -j ACCEPT
-A FW-WIZARD-INPUT -m conntrack --ctstate INVALID -j DROP
-A FW-WIZARD-INPUT -d fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT
-A FW-WIZARD-INPUT -p tcp -m multiport --dports 22,53,8000:8010 -j ACCEPT
-A FW-WIZARD-INPUT -p udp -m udp --dport 53 -j ACCEPT
-A FW-WIZARD-INPUT -j REJECT --reject-with icmp6-port-unreachable`.split('\n');

const OPEN_TO_ALL = [22, 53, ...Array.from({length: 11}, (_, index) => 8000 + index)];
/** Where something listens; the firewall lets in only some of it. */
const TCP_SERVICES = [22, 53, 8000, 8010, 8011, 9100];
const UDP_SERVICES = [22, 52, 53, 54, 67, 68, 123, 546, 5353, 8000, 9100];

describe.each(mainly('nft'))('apply of a server, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await serve(target, ...TCP_SERVICES.map((port) => `tcp:${port}`));
		await serve(target, ...UDP_SERVICES.map((port) => `udp:${port}`));
		await serve(probe, 'tcp:7000', 'udp:7000');
		await wizardDoes(target, 'apply', ...SERVER);
	});

	test('loads exactly the rules of the policy, in both families', async () => {
		const {ipv4, ipv6} = await readSaves(target);
		expect(ownLines(ipv4)).toEqual([...RAW, ...FILTER_IPV4]);
		expect(ownLines(ipv6)).toEqual([...RAW, ...FILTER_IPV6]);
	});

	test('loads into the backend that the machine uses, and only there', async () => {
		const other = backend === 'nft' ? 'legacy' : 'nft';
		expect(await target.must(`iptables-${backend}-save`, [])).toContain('FW-WIZARD-INPUT');
		expect(await target.must(`iptables-${other}-save`, [])).not.toContain('FW-WIZARD');
	});

	test('changes nothing when done again', async () => {
		const before = await readSaves(target);
		await wizardDoes(target, 'apply', ...SERVER);
		expect(await readSaves(target)).toEqual(before);
	});

	test.each([
		['inside 10.0.0.0/8', INSIDE.target, [...OPEN_TO_ALL, 9100]],
		['elsewhere', OUTSIDE.target, OPEN_TO_ALL],
		['IPv6', IPV6.target, OPEN_TO_ALL],
	])(
		'of all 65,536 TCP ports lets nmap reach exactly the open ones, from %s',
		async (_, address, letIn) => {
			const seen = await scan(probe, address, ['-sS', '-p', '0-65535'], 'tcp');
			expect(seen.ports).toEqual({
				open: letIn.filter((port) => TCP_SERVICES.includes(port)),
				closed: letIn.filter((port) => !TCP_SERVICES.includes(port)),
			});
			expect(seen.rest).toEqual({filtered: 65_536 - letIn.length});
		},
	);

	test.each([INSIDE.target, OUTSIDE.target, IPV6.target])(
		'of the UDP services lets nmap reach exactly the open one, at %s',
		async (address) => {
			const seen = await scan(probe, address, ['-sU', '-p', UDP_SERVICES.join(',')], 'udp');
			expect(seen).toEqual({
				ports: {open: [53], closed: UDP_SERVICES.filter((port) => port !== 53)},
				rest: {},
			});
		},
	);

	test.each([INSIDE, IPV6])('lets the answers to its own connections in, $target', async (pair) => {
		expect(await ask(target, 'tcp', pair.probe, 7000)).toBe('hello');
		expect(await ask(target, 'udp', pair.probe, 7000)).toBe('hello');
	});

	test.each([INSIDE, IPV6])('lets ping through both ways, $target', async (pair) => {
		await target.must('ping', ['-c', '1', '-W', '2', pair.probe]);
		await probe.must('ping', ['-c', '1', '-W', '2', pair.target]);
	});

	test('lets neighbour discovery through both ways', async () => {
		for (const [host, other] of [
			[probe, IPV6.target],
			[target, IPV6.probe],
		] as const) {
			await target.must('ip', ['neighbour', 'flush', 'dev', 'eth0']);
			await probe.must('ip', ['neighbour', 'flush', 'dev', 'eth0']);
			await host.must('ping', ['-c', '1', '-W', '2', other]);
		}
	});

	test('lets programs on the machine talk to each other', async () => {
		for (const address of ['127.0.0.1', '::1', INSIDE.target, IPV6.target]) {
			expect(await connect(target, address, 8011)).toBe('succeeded');
		}
	});
});
