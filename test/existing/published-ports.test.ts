import {describe, expect, it} from 'vitest';
import {natOfIptables} from '../../source/existing/nat/parse-iptables.ts';
import {natOfNftables, natTablesIn} from '../../source/existing/nat/parse-nftables.ts';
import {addressOf, type Published, publishedIn} from '../../source/existing/nat/published-ports.ts';
import type {Family} from '../../source/lib/network.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {countCalls} from '../_helpers/samples/count-calls.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';

const OWN = ['192.0.2.1', '198.51.100.1', '2001:db8::1'];

const show = ({address, port, last, protocol, from, on, to, by}: Published) =>
	[
		`${address} ${port}${last === undefined ? '' : `-${last}`}/${protocol}`,
		...(from === undefined ? [] : [`from ${from}`]),
		...(on === undefined ? [] : [`on ${on}`]),
		`-> ${to} by ${by}`,
	].join(' ');

const inIptables = (text: string, family: Family = 4) => {
	const table = natOfIptables(parseSave(text, family));
	return table === undefined ? [] : publishedIn(table, OWN).map(show);
};

const nat = (...rules: readonly string[]) => {
	const chains = new Set(rules.map((rule) => rule.split(' ')[1] ?? ''));
	const declared = [...chains].map(
		(chain) => `:${chain} ${chain === 'PREROUTING' ? 'ACCEPT' : '-'} [0:0]`,
	);
	return ['*nat', ...declared, ...rules, 'COMMIT', ''].join('\n');
};

describe('what iptables forwards', () => {
	it("is Docker's published ports, in both families", () => {
		expect(inIptables(NEIGHBOURS.iptables)).toEqual([
			'0.0.0.0 8080/tcp -> 172.17.0.2:80 by Docker',
		]);
		expect(inIptables(NEIGHBOURS.ip6tables, 6)).toEqual([
			':: 8080/tcp -> [fd00:d0c::2]:80 by Docker',
		]);
	});

	it('is what podman and Kubernetes lead through several chains', () => {
		const podman = nat(
			'-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT',
			'-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport 8080:8081 -m comment --comment "dnat name: podman" -j NETAVARK-DN-1',
			'-A NETAVARK-DN-1 -s 10.88.0.0/16 -p tcp -m tcp --dport 8080 -j NETAVARK-HOSTPORT-SETMARK',
			'-A NETAVARK-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000',
			'-A NETAVARK-DN-1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80',
		);
		expect(inIptables(podman)).toEqual(['0.0.0.0 8080/tcp -> 10.88.0.2:80 by podman']);

		const kubernetes = nat(
			'-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
			'-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-DNS',
			'-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
			'-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-SVC-WEB',
			'-A KUBE-SVC-WEB -m statistic --mode random --probability 0.5 -j KUBE-SEP-A',
			'-A KUBE-SVC-WEB -j KUBE-SEP-B',
			'-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.244.0.7:8080',
			'-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.244.0.8:8080',
			'-A KUBE-SVC-DNS -j KUBE-SEP-D',
			'-A KUBE-SEP-D -p udp -m udp -j DNAT --to-destination 10.244.0.2:53',
		);
		expect(inIptables(kubernetes)).toEqual([
			'0.0.0.0 30080/tcp -> 10.244.0.7:8080 by Kubernetes',
			'0.0.0.0 30080/tcp -> 10.244.0.8:8080 by Kubernetes',
		]);
	});

	it.each([
		[
			'-A PREROUTING -s 10.0.0.0/8 -d 192.0.2.1/32 -i eth0 -p udp --dport 53 -j DNAT --to-destination 10.0.0.3',
			['192.0.2.1 53/udp from 10.0.0.0/8 on eth0 -> 10.0.0.3 by a DNAT rule'],
		],
		[
			'-A PREROUTING -p tcp -m multiport --dports 80,8000:8010 -j DNAT --to-destination 10.0.0.3-10.0.0.5:1000-2000',
			[
				'0.0.0.0 80/tcp -> 10.0.0.3-10.0.0.5:1000-2000 by a DNAT rule',
				'0.0.0.0 8000-8010/tcp -> 10.0.0.3-10.0.0.5:1000-2000 by a DNAT rule',
			],
		],
		[
			'-A PREROUTING -d 192.0.2.0/24 -j DNAT --to-destination 10.0.0.3',
			[
				'192.0.2.1 1-65535/tcp -> 10.0.0.3 by a DNAT rule',
				'192.0.2.1 1-65535/udp -> 10.0.0.3 by a DNAT rule',
			],
		],
	])('%s', (rule, expected) => {
		expect(inIptables(nat(rule))).toEqual(expected);
	});

	it.each([
		[
			'for an address that is not ours',
			'-A PREROUTING -d 203.0.113.9/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.3',
		],
		[
			'for loopback alone',
			'-A PREROUTING -d 127.0.0.1/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.3',
		],
		[
			'to this machine itself',
			'-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.0.2.1:8080',
		],
		['to another port', '-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080'],
		['neither TCP nor UDP', '-A PREROUTING -p gre -j DNAT --to-destination 10.0.0.3'],
		['for nobody', '-A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 10.0.0.3'],
	])('is nothing of what goes %s', (_, rule) => {
		expect(inIptables(nat(rule))).toEqual([]);
	});

	it('stops where every packet is sent back, and where conditions exclude each other', () => {
		const text = nat(
			'-A PREROUTING -p tcp --dport 80 -j A',
			'-A PREROUTING -i eth1 -j A',
			'-A A -p udp -j DNAT --to-destination 10.0.0.1',
			'-A A -i eth0 -p tcp --dport 80:90 -j DNAT --to-destination 10.0.0.2',
			'-A A -j RETURN',
			'-A A -j DNAT --to-destination 10.0.0.3',
		);
		expect(inIptables(text)).toEqual([
			'0.0.0.0 80/tcp on eth0 -> 10.0.0.2 by a DNAT rule',
			'0.0.0.0 1-65535/udp on eth1 -> 10.0.0.1 by a DNAT rule',
		]);
	});

	it('ends with rules that fan out over more ways than anybody can follow', () => {
		const rules = Array.from({length: 15}, (_, index) =>
			Array.from({length: 10}, () => `-A C${index} -j C${index + 1}`),
		).flat();
		const text = nat('-A PREROUTING -j C0', ...rules, '-A C15 -j C0');
		const calls = countCalls(() => {
			expect(inIptables(text)).toEqual([]);
		});
		// There are 10 to the 15th ways; 200,000 of their rules are followed, with some calls for each.
		expect(calls).toBeLessThan(4_000_000);
	});
});

describe('what nftables forwards', () => {
	const table = (name: string, ...objects: readonly object[]) =>
		JSON.stringify({
			nftables: [
				{metainfo: {json_schema_version: 1}},
				{table: {family: 'inet', name}},
				{chain: {family: 'inet', table: name, name: 'pre', type: 'nat', hook: 'prerouting'}},
				...objects.map((rule) => ({rule: {family: 'inet', table: name, chain: 'pre', ...rule}})),
			],
		});
	const dport = {
		match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: 8080},
	};
	const published = (text: string) =>
		natOfNftables(text).flatMap((nat) => publishedIn(nat, OWN).map(show));

	it('names who has made the table, and takes the family from the address', () => {
		const forward = {dnat: {family: 'ip6', addr: 'fd00::3', port: 98}};
		expect(published(table('docker-bridges', {expr: [dport, forward]}))).toEqual([
			':: 8080/tcp -> [fd00::3]:98 by Docker',
		]);
	});

	it('leaves to iptables what iptables has made', () => {
		expect(published(table('nat', {expr: [dport, {xt: {type: 'target', name: 'DNAT'}}]}))).toEqual(
			[],
		);
	});

	it.each(['', '{', 'null', '{"nftables": 5}', '{"nftables": [{"table": null}, {"rule": {}}, 3]}'])(
		'is nothing in what is no such JSON: %s',
		(text) => {
			expect(natOfNftables(text)).toEqual([]);
			expect(natTablesIn(text)).toEqual([]);
		},
	);

	it('survives forms that no nft has printed yet', () => {
		const strange = [
			{expr: [dport, {dnat: {addr: {map: {key: null, data: [1, {}]}}}}]},
			{expr: [{match: {}}, {vmap: {}}, {dnat: 7}]},
			{expr: 'x'},
		];
		expect(published(table('t', ...strange))).toEqual([]);
	});
});

it.each([
	['172.17.0.2:80', '172.17.0.2'],
	['10.0.0.5', '10.0.0.5'],
	['10.0.0.5-10.0.0.9:80-90', '10.0.0.5'],
	['[fd00:D0C:0::2]:80', 'fd00:d0c::2'],
	['fd00:d0c::2', 'fd00:d0c::2'],
	[':8080', undefined],
	['a map of 3 destinations', undefined],
	['[::ffff:1.2.3.4.5]:1', undefined],
])('the address in the destination %s is %s', (to, address) => {
	expect(addressOf(to)).toBe(address);
});
