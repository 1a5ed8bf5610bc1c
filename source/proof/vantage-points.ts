import ipaddr from 'ipaddr.js';
import type {Interface} from '../host/machine/interfaces.ts';
import {
	contains,
	FAMILIES,
	type Family,
	type Network,
	parseCidr,
	printNetwork,
} from '../lib/network.ts';
import type {Policy} from '../policy/policy.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RemoteClient} from '../ruleset/lockout.ts';

/** A vantage with what it stands for. */
export type NamedVantagePoint = VantagePoint & {readonly name: string};

export type VantagePointPlan = {
	readonly vantagePoints: readonly NamedVantagePoint[];
	/** Networks of the policy from which no packet can be sent here, with the reason. */
	readonly untried: readonly string[];
};

/** Addresses for documentation: nobody has them (RFC 5737, RFC 3849, RFC 9637). */
const STRANGERS: Readonly<Record<Family, readonly string[]>> = {
	4: ['203.0.113.77', '198.51.100.77', '192.0.2.77', '100.127.255.77'],
	6: ['2001:db8:77::77', '3fff:77::77'],
};

/** Ranges (of ipaddr.js) whose addresses cannot be the source of a packet from outside. */
const NO_SOURCE = [
	'unspecified',
	'broadcast',
	'multicast',
	'linkLocal',
	'loopback',
	// The kernel drops these where they come in (ip6_rcv, since 5.4).
	'ipv4Mapped',
];

/**
 * From where a policy must be looked at: a stranger on each interface that it names and on one that
 * it does not, one address in each of its networks and one just outside, and the visitor.
 */
export function planVantagePoints(
	policy: Policy,
	interfaces: readonly Interface[],
	remoteClient: RemoteClient | undefined,
): VantagePointPlan {
	const ports = policy.openings.filter((opening) => opening.kind === 'port');
	const named = [...new Set(ports.flatMap(({on}) => on ?? []))];
	const usual = remoteClient?.inInterface ?? interfaces[0]?.name ?? 'eth0';
	// One interface that no opening names: what is open only elsewhere must be shut here.
	const main = named.includes(usual)
		? (interfaces.find(({name}) => !named.includes(name))?.name ?? 'fww-other')
		: usual;
	const own = new Set(
		interfaces.flatMap(({addresses}) => addresses.map((cidr) => cidr.split('/')[0])),
	);
	const networks = ports.flatMap(({from, on}) => (from ? [{from, inInterface: on ?? main}] : []));
	const untried = networks.filter(({from}) => isUnusable(from)).map(({from}) => printNetwork(from));

	const vantagePoints = [
		...[main, ...named].flatMap((inInterface) =>
			FAMILIES.map((family) => ({
				family,
				inInterface,
				source: strangerTo(
					family,
					networks.map(({from}) => from),
				),
				name: inInterface === main ? 'anywhere' : `anywhere on ${inInterface}`,
			})),
		),
		...networks
			.filter(({from}) => !isUnusable(from))
			.flatMap(({from, inInterface}) => neighboursOf(from, inInterface, own)),
		...(remoteClient?.client === undefined
			? []
			: [
					{
						family: remoteClient.client.includes(':') ? (6 as const) : (4 as const),
						inInterface: remoteClient.inInterface ?? main,
						source: remoteClient.client,
						name: `you, ${remoteClient.client}`,
					},
				]),
	];
	const unique = new Map(
		vantagePoints.map((vantagePoint) => [
			`${vantagePoint.source} ${vantagePoint.inInterface}`,
			vantagePoint,
		]),
	);
	return {
		vantagePoints: [...unique.values()].filter(({source}) => !own.has(source)),
		untried: [...new Set(untried)],
	};
}

/**
 * The vantage points of one address. Its packets arrive on the interface whose network it belongs to. For
 * another address that interface is not known, and each interface of the plan is one.
 */
export function vantagePointsOf(
	source: string,
	policy: Policy,
	interfaces: readonly Interface[],
): readonly NamedVantagePoint[] {
	const near = interfaces.find(({addresses}) => addresses.some((cidr) => contains(cidr, source)));
	const {vantagePoints} = planVantagePoints(policy, interfaces, undefined);
	const names = near ? [near.name] : vantagePoints.map(({inInterface}) => inInterface);
	return [...new Set(names)].map((inInterface) => ({
		family: source.includes(':') ? 6 : 4,
		inInterface,
		source,
		name: source,
	}));
}

function strangerTo(family: Family, networks: readonly Network[]): string {
	const addresses = STRANGERS[family];
	const foreign = addresses.find((address) =>
		networks.every(({cidr}) => cidr.endsWith('/0') || !contains(cidr, address)),
	);
	return foreign ?? addresses[0] ?? '';
}

/** An address in the network, and the nearest one behind its end. */
export function neighboursOf(
	network: Network,
	inInterface: string,
	own: ReadonlySet<string | undefined>,
): readonly NamedVantagePoint[] {
	const {family} = network;
	const samples = samplesOf(network);
	const foreign = (address: string) => !own.has(address);
	const inside = samples.inside.find(foreign);
	const outside = samples.outside.find(foreign);
	const name = printNetwork(network);
	return [
		...(inside === undefined ? [] : [{family, inInterface, source: inside, name: `in ${name}`}]),
		...(outside === undefined
			? []
			: [{family, inInterface, source: outside, name: `beside ${name}`}]),
	];
}

function isUnusable(network: Network): boolean {
	return samplesOf(network).inside.length === 0;
}

/** Addresses within a network, and just outside of it, that a packet can come from. */
function samplesOf({cidr}: Network): Record<'inside' | 'outside', readonly string[]> {
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
	// Where a large network begins there may be none: 0.0.0.1, ::1.
	const offsets = [1n, 2n, 3n, 0n, size / 2n + 1n].filter((offset) => offset < size);
	return {
		inside: sources(offsets.map((offset) => start + offset)),
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
