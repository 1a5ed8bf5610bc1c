import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {type Family, parseNetwork} from '../../source/lib/network.ts';
import {LAST_PORT} from '../../source/lib/port-ranges.ts';
import {IP_PROTOCOLS, type IpProtocol, SCTP} from '../../source/policy/ip-protocols.ts';
import {isDiscovery} from '../../source/policy/opening.ts';
import type {Policy} from '../../source/policy/policy.ts';
import {networksOf} from '../../source/policy/sources.ts';
import {protocolOfNumber} from '../../source/ruleset/protocol-names.ts';
import {
	addresses,
	ipProtocols,
	networks,
	policies,
	ports,
} from '../_helpers/samples/arbitraries.ts';
import {FLAGS, type Shot} from './ethernet.ts';

/** The target's interfaces; one name is the beginning of another. */
export const INTERFACES = ['eth0', 'eth01', 'wg0'] as const;

/** The target's own addresses, on the first of its interfaces, or on each. */
export const OWN = {4: '203.0.113.1', 6: '2001:db8:1::1', link: 'fe80::1'} as const;

/** Policies that a range can try: its interfaces, one more, and networks that its packets come from. */
export const WIRE_POLICIES = policies({
	interfaces: fc.constantFrom(...INTERFACES, 'eth+', 'tun9'),
	networks: fc.oneof(
		networks(),
		fc
			.constantFrom(
				'0.0.0.0/0',
				'10.0.0.0/8',
				'203.0.113.0/25',
				'::/0',
				'2001:db8::/32',
				'fe80::/10',
			)
			.map(parseNetwork),
	),
});

const ESP = IP_PROTOCOLS.find(({name}) => name === 'esp') as IpProtocol;

/** Groups that the target has joined, and in IPv4 the broadcast address. */
const GROUPS: Readonly<Record<Family, readonly string[]>> = {
	4: ['224.0.0.251', '224.0.0.1', '255.255.255.255'],
	6: ['ff02::fb', 'ff02::1'],
};
export const JOINED = ['224.0.0.251/32', 'ff02::fb/128'] as const;

/**
 * Combinations of TCP flags, and what conntrack says of them where it knows no connection
 * (net/netfilter/nf_conntrack_proto_tcp.c; it picks up connections from an ACK).
 */
const SEGMENTS = [
	{flags: FLAGS.SYN, syn: true, state: 'NEW'},
	{flags: FLAGS.SYN, syn: true, state: 'NEW'},
	{flags: FLAGS.SYN | FLAGS.ECE | FLAGS.CWR, syn: true, state: 'NEW'},
	{flags: FLAGS.ACK, syn: false, state: 'NEW'},
	{flags: FLAGS.ACK | FLAGS.PSH, syn: false, state: 'NEW'},
	{flags: FLAGS.SYN | FLAGS.ACK, syn: false, state: 'INVALID'},
	{flags: FLAGS.RST, syn: false, state: 'INVALID'},
	{flags: FLAGS.FIN, syn: false, state: 'INVALID'},
	{flags: FLAGS.SYN | FLAGS.FIN, syn: false, state: 'INVALID'},
	{flags: 0, syn: false, state: 'INVALID'},
] as const;

/**
 * Messages and what conntrack says of them: echo requests begin a connection, answers that nobody
 * asked for fit none, and an error is as good as the connection that it is about.
 */
const MESSAGES = {
	4: {protocol: 'icmp', request: 8, answer: 0, error: 3},
	6: {protocol: 'ipv6-icmp', request: 128, answer: 129, error: 1},
} as const;

/**
 * Packets of one family that the rules of a policy, or their nearest neighbours, decide.
 * @param others more addresses that packets go to
 */
export function shotsNear(
	policy: Policy,
	family: Family,
	interfaces: readonly string[] = INTERFACES,
	others: readonly string[] = [],
): fc.Arbitrary<Shot> {
	const openings = policy.openings.filter((opening) => opening.kind === 'port');
	const edges = openings.flatMap(({first, last}) => [first - 1, first, last, last + 1]);
	const port = fc.oneof(
		ports,
		fc.constantFrom(0, 22, ...edges.filter((edge) => edge <= LAST_PORT)),
	);
	const cidrs = [
		...(policy.blocked ?? []),
		...policy.openings.flatMap((opening) =>
			isDiscovery(opening) ? [] : networksOf(opening.from ?? []),
		),
	]
		.filter((one) => one.family === family)
		.map(({cidr}) => cidr);
	const common = {
		family: fc.constant(family),
		inInterface: fc.constantFrom(...interfaces),
		source: sources(family, cidrs),
		destination: fc.oneof(
			{arbitrary: fc.constant<string>(OWN[family]), weight: 6},
			fc.constantFrom(...GROUPS[family], ...(family === 6 ? [OWN.link] : []), ...others),
		),
	};
	const tcp = fc
		.tuple(fc.record({...common, destinationPort: port}), fc.constantFrom(...SEGMENTS))
		.map(([packet, {flags, syn, state}]): Shot => {
			return {packet: {...packet, protocol: 'tcp', syn, state}, flags};
		});
	const udp = fc
		.record({
			...common,
			sourcePort: fc.oneof(ports, fc.constantFrom(67, 547, 5353, 1900)),
			destinationPort: fc.oneof(port, fc.constantFrom(68, 546, 5353, 1900, 32_767, 40_000)),
		})
		.map((packet): Shot => ({packet: {...packet, protocol: 'udp', state: 'NEW'}}));
	const {protocol, request, answer, error} = MESSAGES[family];
	const echo = fc
		.tuple(
			fc.record(common),
			fc.constantFrom(
				{type: request, state: 'NEW'} as const,
				{type: answer, state: 'INVALID'} as const,
			),
		)
		.map(([packet, {type, state}]): Shot => ({packet: {...packet, protocol, state}, type}));
	const own = {...common, destination: fc.constant(OWN[family])};
	const known = fc
		.record({...own, sourcePort: ports, destinationPort: port})
		.map((packet): Shot => ({packet: {...packet, protocol: 'udp', state: 'ESTABLISHED'}}));
	const errors = fc
		.tuple(fc.record(own), fc.constantFrom('RELATED', 'INVALID'), ports, ports)
		.map(([packet, state, sourcePort, destinationPort]): Shot => {
			const about = {sourcePort, destinationPort};
			return {packet: {...packet, protocol, state}, type: error, about};
		});
	const opened = policy.openings.flatMap((opening) =>
		opening.kind === 'protocol' ? [opening.protocol] : [],
	);
	const other = fc
		.tuple(fc.record(common), fc.oneof(ipProtocols, fc.constantFrom(...opened, ESP)))
		.filter(([, {families, number}]) => families.includes(family) && number !== SCTP)
		.map(([packet, {number}]): Shot => {
			return {packet: {...packet, protocol: protocolOfNumber(number), state: 'NEW'}, type: 0x16};
		});
	const sctp = fc
		.record({...common, sourcePort: ports, destinationPort: port})
		.map((packet): Shot => ({packet: {...packet, protocol: 'sctp', state: 'NEW'}}));
	return fc.oneof(
		{arbitrary: tcp, weight: 8},
		{arbitrary: udp, weight: 8},
		{arbitrary: known, weight: 1},
		{arbitrary: echo, weight: 1},
		{arbitrary: errors, weight: 1},
		{arbitrary: other, weight: 2},
		{arbitrary: sctp, weight: 2},
	);
}

/** Addresses that come over a wire: at the ends of the networks, just beside them, within, anywhere. */
function sources(family: Family, cidrs: readonly string[]): fc.Arbitrary<string> {
	const edges = cidrs.flatMap((cidr) => {
		const [first, last] = endsOf(cidr);
		return [first - 1n, first, first + 1n, last - 1n, last, last + 1n];
	});
	const width = family === 4 ? 32n : 128n;
	const near = edges
		.filter((value) => value >= 0n && value < 1n << width)
		.map((value) => spell(value, family))
		.filter(canComeIn);
	const linkLocal =
		family === 6 ? ['fe80::2', 'fe80::ffff', 'fd00::7'] : ['203.0.113.7', '192.168.1.7'];
	return fc.oneof(addresses(family).filter(canComeIn), fc.constantFrom(...linkLocal, ...near));
}

/** The kernel itself refuses packets from the others, before any rule. */
function canComeIn(text: string): boolean {
	const address = ipaddr.parse(text);
	const first = address.toByteArray()[0] ?? 0;
	if (address.kind() === 'ipv4') {
		return (
			![0, 127].includes(first) &&
			first < 224 &&
			![OWN[4], '203.0.113.255', '203.0.113.0'].includes(text)
		);
	}

	const own = [OWN[6], OWN.link].map((other) => ipaddr.parse(other).toNormalizedString());
	return (
		!['multicast', 'loopback', 'unspecified', 'ipv4Mapped'].includes(address.range()) &&
		!own.includes(address.toNormalizedString())
	);
}

function endsOf(cidr: string): readonly [bigint, bigint] {
	const [address, prefix] = ipaddr.parseCIDR(cidr);
	const bytes = address.toByteArray();
	const first = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
	return [first, first + (1n << BigInt(bytes.length * 8 - prefix)) - 1n];
}

function spell(value: bigint, family: Family): string {
	const hex = value.toString(16).padStart(family === 4 ? 8 : 32, '0');
	return ipaddr.fromByteArray([...Buffer.from(hex, 'hex')]).toString();
}
