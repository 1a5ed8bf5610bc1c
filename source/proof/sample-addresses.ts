import ipaddr from 'ipaddr.js';
import type {Interface} from '../host/machine/interfaces.ts';
import {
	type Family,
	familyOf,
	type Network,
	parseCidr,
	parseNetwork,
	stripPrefixLength,
} from '../lib/network.ts';

/**
 * Addresses all over the Internet, the ones for documentation first, which no machine has (RFC 5737,
 * RFC 3849, RFC 9637). The others are for rules that name those: lists of unused networks (bogons) do.
 */
const STRANGERS: Readonly<Record<Family, readonly string[]>> = {
	4: [
		...['203.0.113.77', '198.51.100.77', '192.0.2.77'],
		...Array.from({length: 222}, (_, index) => `${((index * 37) % 223) + 1}.${index}.77.7`).filter(
			(address) => !/^(?:10|100|127|169|172|192|198|203|0)\./.test(address),
		),
	],
	6: [
		...['2001:db8:77::77', '3fff:77::77'],
		...Array.from(
			{length: 222},
			(_, index) => `2${(index * 17).toString(16).padStart(3, '0')}:${index + 1}::77`,
		).filter((address) => !address.startsWith('2002:')),
	],
};

/** The address of a stranger to all rules; undefined where each candidate is referenced. */
export function pickStranger(
	family: Family,
	isReferenced: (address: string) => boolean,
): string | undefined {
	return STRANGERS[family].find((address) => !isReferenced(address));
}

/** Ranges (of ipaddr.js) whose addresses cannot be the source of a packet from outside. */
const NO_SOURCE = [
	'unspecified',
	'broadcast',
	'multicast',
	'linkLocal',
	'loopback',
	// The kernel drops packets from these on arrival (ip6_rcv, since 5.4).
	'ipv4Mapped',
];

/**
 * Some addresses in a network, the first ones, the last ones, and the nearest ones outside of it, that a
 * packet can come from. There is none inside a network like fe80::/10.
 */
export function sampleNetwork(network: Network): SampledNetwork {
	const known = SAMPLED.get(network) ?? sample(network);
	SAMPLED.set(network, known);
	return known;
}

type SampledNetwork = Readonly<Record<'inside' | 'first' | 'last' | 'outside', readonly string[]>>;

/** A proof asks more than once for the samples of each network of its policy. */
const SAMPLED = new WeakMap<Network, SampledNetwork>();

function sample({cidr}: Network): SampledNetwork {
	const [base, prefix] = parseCidr(cidr);
	const bytes = base.toByteArray();
	const width = bytes.length * 8;
	const start = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
	const size = 1n << BigInt(width - prefix);
	const sources = (values: readonly bigint[]) =>
		values
			.filter((value) => value > 0n && value < 1n << BigInt(width))
			.map((value) => formatAddress(value, width))
			.filter((address) => !NO_SOURCE.includes(ipaddr.parse(address).range()));
	// The first addresses of a large network may be no source: 0.0.0.1, ::1.
	const at = (offsets: readonly bigint[]) =>
		sources(
			offsets.filter((offset) => offset >= 0n && offset < size).map((offset) => start + offset),
		);
	return {
		inside: at([1n, 2n, 3n, 0n, size / 2n + 1n]),
		first: at([0n, 1n, 2n]),
		last: at([size - 1n, size - 2n, size - 3n]),
		outside: prefix === 0 ? [] : sources([start + size, start - 1n]),
	};
}

function formatAddress(value: bigint, width: number): string {
	const bytes = Buffer.from(value.toString(16).padStart(width / 4, '0'), 'hex');
	const address = ipaddr.fromByteArray([...bytes]);
	return address.kind() === 'ipv6'
		? (address as ipaddr.IPv6).toRFC5952String()
		: address.toString();
}

/** The machine's own addresses. */
export function ownAddresses(interfaces: readonly Interface[]): ReadonlySet<string> {
	return new Set(interfaces.flatMap(({addresses}) => addresses.map(stripPrefixLength)));
}

/**
 * Whether packets can come from an address: not the machine's own, and none that is the broadcast address
 * of one of its networks, which the kernel drops (fib_validate_source(), "martian source").
 */
export function sourceFilter(interfaces: readonly Interface[]): (address: string) => boolean {
	const own = ownAddresses(interfaces);
	const broadcast = new Set(
		interfaces
			.flatMap(({addresses}) => addresses)
			.filter((cidr) => familyOf(cidr) === 4 && Number(cidr.split('/')[1]) < 31)
			.flatMap((cidr) => {
				const {first, last} = sampleNetwork(parseNetwork(cidr));
				return [first[0] ?? '', last[0] ?? ''];
			}),
	);
	return (address) => !own.has(address) && !broadcast.has(address);
}
