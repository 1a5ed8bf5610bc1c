import type {Protocol} from '../policy/services.ts';
import {type Decision, evaluate} from './evaluate.ts';
import type {FamilyRules, PortRange} from './model.ts';
import type {Packet} from './packet.ts';

/**
 * Somewhere that packets come from: an address, and the interface that they come in on. The address
 * that they go to is one of the machine's own where it is given.
 */
export type VantagePoint = Pick<Packet, 'family' | 'inInterface' | 'source' | 'destination'>;

/** Ports of one kind of packet that are judged alike. */
export type Stretch = PortRange & {readonly decision: Decision};

const LAST_PORT = 65_535;

/** The first packet of a new connection from a vantage to a port. */
export function firstPacket(vantagePoint: VantagePoint, protocol: Protocol, port: number): Packet {
	return {
		...vantagePoint,
		protocol,
		sourcePort: 49_152,
		destinationPort: port,
		...(protocol === 'tcp' ? {syn: true} : {}),
		state: 'NEW',
	};
}

/**
 * What the rules do with new connections from a vantage to each port from 1 to 65535. Between two
 * ports that some rule names nothing can change, so one evaluation serves for all of them.
 */
export function judgePorts(
	rules: FamilyRules,
	vantagePoint: VantagePoint,
	protocol: Protocol,
): readonly Stretch[] {
	const starts = boundaries(rules);
	return starts.map((first, index) => ({
		first,
		last: (starts[index + 1] ?? LAST_PORT + 1) - 1,
		decision: evaluate(rules, firstPacket(vantagePoint, protocol, first)),
	}));
}

/** The ports from 1 to 65535 that the rules let in from a vantage. */
export function openPorts(
	rules: FamilyRules,
	vantagePoint: VantagePoint,
	protocol: Protocol,
): readonly PortRange[] {
	return joinRanges(
		judgePorts(rules, vantagePoint, protocol).filter(({decision}) => decision.verdict === 'ACCEPT'),
	);
}

/** Where the judgement of a port may change: the first port of each stretch, ascending, 1 included. */
export function boundaries(rules: FamilyRules): readonly number[] {
	const edges = rules.tables
		.flatMap(({chains}) => chains.flatMap((chain) => chain.rules))
		.flatMap(({match}) => match.destinationPorts ?? [])
		.flatMap(({first, last}) => [first, last + 1]);
	return [...new Set([1, ...edges])]
		.filter((port) => port >= 1 && port <= LAST_PORT)
		.sort((a, b) => a - b);
}

/** Stretches of ports, 1 to 65535, within which none of these rules tells one port from another. */
export function stretches(rules: readonly FamilyRules[]): readonly PortRange[] {
	const starts = [...new Set([1, ...rules.flatMap(boundaries)])].sort((a, b) => a - b);
	return starts.map((first, index) => ({first, last: (starts[index + 1] ?? LAST_PORT + 1) - 1}));
}

/** The first port of each stretch, and the last. */
export function edgesOf(ranges: readonly PortRange[]): readonly PortRange[] {
	return joinRanges(
		ranges.flatMap(({first, last}) => [
			{first, last: first},
			{first: last, last},
		]),
	);
}

/** The stretches of which both edges are among the ports, whole; of the others what is among them. */
export function fillStretches(
	ranges: readonly PortRange[],
	ports: readonly PortRange[],
): readonly PortRange[] {
	const has = (port: number) => ports.some(({first, last}) => first <= port && port <= last);
	return joinRanges([...ports, ...ranges.filter(({first, last}) => has(first) && has(last))]);
}

/** Ranges in ascending order, with those that touch made one. */
export function joinRanges(ranges: readonly PortRange[]): readonly PortRange[] {
	const joined: PortRange[] = [];
	for (const {first, last} of [...ranges].sort((a, b) => a.first - b.first)) {
		const before = joined.at(-1);
		if (before !== undefined && first <= before.last + 1) {
			joined[joined.length - 1] = {first: before.first, last: Math.max(before.last, last)};
		} else {
			joined.push({first, last});
		}
	}

	return joined;
}

/** The part of `ranges` that is not in `others`. Both ascending, without overlaps. */
export function subtractRanges(
	ranges: readonly PortRange[],
	others: readonly PortRange[],
): readonly PortRange[] {
	return others.reduce<readonly PortRange[]>(
		(left, other) =>
			left.flatMap(({first, last}) =>
				other.last < first || other.first > last
					? [{first, last}]
					: [
							...(first < other.first ? [{first, last: other.first - 1}] : []),
							...(other.last < last ? [{first: other.last + 1, last}] : []),
						],
			),
		ranges,
	);
}

/** The part of `ranges` that is in `others` as well. Both ascending, without overlaps. */
export function commonRanges(
	ranges: readonly PortRange[],
	others: readonly PortRange[],
): readonly PortRange[] {
	return subtractRanges(ranges, subtractRanges(ranges, others));
}

/** How many ports ranges hold. */
export function countPorts(ranges: readonly PortRange[]): number {
	return ranges.reduce((count, {first, last}) => count + last - first + 1, 0);
}
