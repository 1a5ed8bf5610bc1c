import fc from 'fast-check';
import {FAMILIES, type Family, type Network, parseNetwork} from '../../../source/lib/network.ts';
import {LAST_PORT} from '../../../source/lib/port-ranges.ts';
import {printable} from '../../../source/lib/printable.ts';
import {HELPER_NAMES} from '../../../source/policy/helpers.ts';
import {
	IP_PROTOCOLS,
	type IpProtocol,
	protocolNumbered,
} from '../../../source/policy/ip-protocols.ts';
import {isDiscovery, type Opening} from '../../../source/policy/opening.ts';
import {completePolicy, type Policy, ROLES, VERDICTS} from '../../../source/policy/policy.ts';
import {PUBLISHED} from '../../../source/policy/published.ts';
import {makeGroup, networksOf, type Sources} from '../../../source/policy/sources.ts';
import {CT_STATES} from '../../../source/ruleset/model.ts';
import type {Packet} from '../../../source/ruleset/packet.ts';
import {protocolOfNumber} from '../../../source/ruleset/protocol-names.ts';

/** What a test may narrow down, since its namespace has few interfaces and networks. */
type Choices = {
	readonly ranges?: fc.Arbitrary<{first: number; last: number}>;
	readonly interfaces?: fc.Arbitrary<string>;
	readonly networks?: fc.Arbitrary<Network>;
};

/** Ports where rules are likely to meet: the ends, those of our own rules, and a crowd below 100. */
export const ports: fc.Arbitrary<number> = fc.oneof(
	fc.constantFrom(1, 21, 22, 53, 67, 68, 546, 547, 5353, LAST_PORT - 1, LAST_PORT),
	fc.integer({min: 1, max: 100}),
	fc.integer({min: 1, max: LAST_PORT}),
);

/** First and last port; half of them single ports. */
const portRanges: fc.Arbitrary<{first: number; last: number}> = fc.oneof(
	ports.map((port) => ({first: port, last: port})),
	fc.tuple(ports, ports).map(([a, b]) => ({first: Math.min(a, b), last: Math.max(a, b)})),
);

/** Every name that an opening may have, those that look like another one included. */
const interfaceNames: fc.Arbitrary<string> = fc.oneof(
	fc.constantFrom('lo', 'eth0', 'eth01', 'ETH0', 'wg0', 'br-lan', 'eth0.100'),
	fc.stringMatching(/^[\w.@][\w.@-]{0,14}$/).filter((name) => !/^[.-]+$/.test(name)),
);

/** An address in the spelling of `parseNetwork`, of one family. */
export function addresses(family: Family): fc.Arbitrary<string> {
	const text =
		family === 4
			? fc
					.array(fc.integer({min: 0, max: 255}), {minLength: 4, maxLength: 4})
					.map((bytes) => bytes.join('.'))
			: fc
					.array(fc.oneof(fc.constantFrom(0, 0xffff), fc.integer({min: 0, max: 0xffff})), {
						minLength: 8,
						maxLength: 8,
					})
					.map((groups) => groups.map((group) => group.toString(16)).join(':'));
	// IPv4-mapped addresses never come over the wire, and parseNetwork refuses them.
	return text.filter((address) => !/^(0:){5}ffff:/.test(address));
}

/** A source network of either family, or of one. */
export function networks(families: readonly Family[] = FAMILIES): fc.Arbitrary<Network> {
	return fc.constantFrom(...families).chain((family) => {
		const width = family === 4 ? 32 : 128;
		const prefix = fc.oneof(
			fc.constantFrom(0, 8, width / 2, width - 1, width),
			fc.integer({min: 0, max: width}),
		);
		return fc
			.tuple(addresses(family), prefix)
			.map(([address, bits]) => parseNetwork(`${address}/${bits}`));
	});
}

/** One opening, of any form that `parseOpening` reads. */
export function openings(choices: Choices = {}): fc.Arbitrary<Opening> {
	const on = fc.option(choices.interfaces ?? interfaceNames, {nil: undefined, freq: 2});
	const from = sources(choices.networks ?? networks());
	const limit = fc.oneof({arbitrary: fc.constant(false), weight: 3}, fc.boolean());
	const range = choices.ranges ?? portRanges;
	const port = fc
		.record({range, protocol: fc.constantFrom('tcp', 'udp', 'both'), from, on, limit})
		.map(
			({range, protocol, from, on, limit}): Opening => ({
				kind: 'port',
				protocol,
				...range,
				...(from === undefined ? {} : {from}),
				...(on === undefined ? {} : {on}),
				limit,
			}),
		);
	const sctp = fc.record({range, from, on}).map(
		({range, from, on}): Opening => ({
			kind: 'port',
			protocol: 'sctp',
			...range,
			...(from === undefined ? {} : {from}),
			...(on === undefined ? {} : {on}),
			limit: false,
		}),
	);
	const discovery = fc
		.tuple(fc.constantFrom('mdns', 'ssdp'), on)
		.map(([kind, on]): Opening => ({kind, ...(on === undefined ? {} : {on})}));
	const opening = fc.oneof(
		{arbitrary: port, weight: 12},
		{arbitrary: sctp, weight: 1},
		{arbitrary: protocolOpenings(from, on), weight: 3},
		{arbitrary: discovery, weight: 2},
	);
	const comment = fc.option(comments, {nil: undefined, freq: 1});
	return fc
		.tuple(opening, comment)
		.map(([one, comment]): Opening => (comment === undefined ? one : {...one, comment}));
}

/** Comments, also those that a shell, iptables or a parser may read in another way than as text. */
export const comments: fc.Arbitrary<string> = fc
	.oneof(
		fc.constantFrom(
			'Web',
			'-j DROP',
			'!',
			'" -j DROP',
			'a, b',
			'$(x) `y` $z',
			'\\',
			"it's",
			'COMMIT',
			'#',
			'→ ü 漢 🙂',
		),
		fc.string({unit: 'grapheme', minLength: 1, maxLength: 60}),
	)
	.map((text) => text.trim())
	.filter((text) => text !== '' && Buffer.byteLength(text) <= 255 && printable(text, 256) === text);

/** Protocols with a word, the same numbers in both families, and some that have none. */
export const ipProtocols: fc.Arbitrary<IpProtocol> = fc.constantFrom(
	...IP_PROTOCOLS,
	...[4, 41, 43, 103, 115, 253].map(protocolNumbered),
);

/** No source, one, or a list of them. */
function sources(networks: fc.Arbitrary<Network>): fc.Arbitrary<Sources | undefined> {
	return fc.option(
		fc.oneof(
			networks.map((network) => [network]),
			fc.array(networks, {minLength: 2, maxLength: 5}),
		),
		{nil: undefined, freq: 2},
	);
}

function protocolOpenings(
	from: fc.Arbitrary<Sources | undefined>,
	on: fc.Arbitrary<string | undefined>,
): fc.Arbitrary<Opening> {
	return fc.record({protocol: ipProtocols, from, on}).map(
		({protocol, from, on}): Opening => ({
			kind: 'protocol',
			protocol,
			...(from && networksOf(from).every(({family}) => protocol.families.includes(family))
				? {from}
				: {}),
			...(on === undefined ? {} : {on}),
		}),
	);
}

/** Openings that often overlap, contain or repeat one another. */
export const crowdedOpenings: fc.Arbitrary<Opening> = openings({
	ranges: fc
		.tuple(fc.integer({min: 1, max: 12}), fc.integer({min: 0, max: 5}))
		.map(([first, more]) => ({first, last: first + more})),
	networks: fc
		.constantFrom('0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '::/0', 'fd00::/8')
		.map(parseNetwork),
	interfaces: fc.constantFrom('eth0', 'wg0'),
});

/** Addresses and networks that a policy may block. */
const BLOCKED = fc
	.constantFrom('203.0.113.66', '192.0.2.64/26', '2001:db8:66::/48', '2001:db8::66')
	.map(parseNetwork);

/** Openings of which some are for the same list of sources. */
function openingsOfGroups(choices: Choices): fc.Arbitrary<readonly Opening[]> {
	const list = fc.array(choices.networks ?? networks(), {minLength: 2, maxLength: 6, size: 'max'});
	const group = fc.option(list, {nil: undefined});
	const members = fc.array(fc.tuple(openings(choices), fc.nat(5)), {maxLength: 24});
	return fc.tuple(group, group, list, members).map(([first, second, third, all]) => {
		const named = makeGroup('office-2', third);
		const mixed = first && [named, ...first];
		return all.map(([opening, place]) =>
			withSources(opening, [first, second, [named], mixed][place]),
		);
	});
}

/** The same opening for other sources, where it can have them. */
function withSources(opening: Opening, from: Sources | undefined): Opening {
	return from === undefined ||
		isDiscovery(opening) ||
		(opening.kind === 'protocol' &&
			!networksOf(from).every(({family}) => opening.protocol.families.includes(family)))
		? opening
		: {...opening, from};
}

/** A policy as the program itself makes one: completed, its openings merged. */
export function policies(choices: Choices = {}): fc.Arbitrary<Policy> {
	return fc
		.record({
			role: fc.constantFrom(...ROLES),
			verdict: fc.constantFrom(...VERDICTS),
			helpers: fc.subarray([...HELPER_NAMES]),
			openings: openingsOfGroups(choices),
			blocked: fc.array(BLOCKED, {maxLength: 2}),
			log: fc.boolean(),
			published: fc.constantFrom(...PUBLISHED),
		})
		.map((part) => completePolicy(part));
}

/** Where packets to this machine go (RFC 5737, RFC 3849). */
const LOCAL: Readonly<Record<Family, string>> = {4: '198.51.100.1', 6: '2001:db8:1::1'};

/** A packet that a policy's own rules, or their nearest neighbours, decide. */
export function packetsNear(policy: Policy, family: Family): fc.Arbitrary<Packet> {
	const opened = policy.openings.filter((opening) => opening.kind === 'port');
	const edges = opened
		.flatMap(({first, last}) => [first - 1, first, last, last + 1])
		.filter((port) => port >= 1 && port <= LAST_PORT);
	const bases = policy.openings.flatMap((opening) =>
		isDiscovery(opening)
			? []
			: networksOf(opening.from ?? [])
					.filter((source) => source.family === family)
					.map(({cidr}) => cidr.split('/')[0] ?? ''),
	);
	const blocked = (policy.blocked ?? []).flatMap((network) =>
		network.family === family ? [network.cidr.split('/')[0] ?? ''] : [],
	);
	const port = fc.oneof(ports, fc.constantFrom(22, ...edges));
	const common = {
		family: fc.constant(family),
		inInterface: fc.constantFrom('lo', 'eth0', ...policy.openings.flatMap(({on}) => on ?? [])),
		source: fc.oneof(addresses(family), fc.constantFrom(LOCAL[family], ...bases, ...blocked)),
		destination: fc.constant(LOCAL[family]),
		state: fc.constantFrom('NEW', 'NEW', ...CT_STATES),
	};
	return fc.oneof(
		fc.record({
			...common,
			protocol: fc.constant('tcp'),
			sourcePort: ports,
			destinationPort: port,
			syn: fc.boolean(),
		}),
		fc.record({
			...common,
			protocol: fc.constant('udp'),
			sourcePort: fc.oneof(ports, fc.constantFrom(67, 547)),
			destinationPort: fc.oneof(port, fc.constantFrom(68, 546)),
		}),
		fc.record({
			...common,
			protocol: fc.oneof(
				fc.constantFrom('icmp', 'ipv6-icmp'),
				ipProtocols
					.filter(({families}) => families.includes(family))
					.map(({number}) => protocolOfNumber(number)),
			),
		}),
		fc.record({
			...common,
			protocol: fc.constant('sctp'),
			sourcePort: ports,
			destinationPort: port,
		}),
		fc.record({
			...common,
			destination: fc.constantFrom(
				...(family === 4 ? ['224.0.0.251', '239.255.255.250'] : ['ff02::fb', 'ff02::c', 'ff05::c']),
			),
			protocol: fc.constant('udp'),
			sourcePort: fc.constant(5353),
			destinationPort: fc.constantFrom(5353, 5354, 1900),
		}),
		fc.record({
			...common,
			source: fc.oneof(
				addresses(family),
				fc.constantFrom(...(family === 4 ? ['192.168.1.7', '172.31.0.1'] : ['fe80::7', 'fd00::7'])),
			),
			protocol: fc.constant('udp'),
			sourcePort: fc.constantFrom(1900, 1901),
			destinationPort: fc.constantFrom(32_767, 32_768, 60_999, 61_000),
		}),
	);
}
