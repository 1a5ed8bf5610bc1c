import {cutPorts, hasPort, joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import {type Decision, evaluate} from './evaluate.ts';
import type {FamilyRules} from './model.ts';
import type {Packet} from './packet.ts';

/**
 * The source of packets: an address, and the interface on which they come in. They go to
 * `destination`, an address of this machine, or to any of its addresses where there is none.
 */
export type VantagePoint = Pick<Packet, 'family' | 'inInterface' | 'source' | 'destination'>;

/** Ports on whose packets the rules decide alike. */
type Stretch = PortRange & {readonly decision: Decision};

/** The first packet of a new connection from a vantage point to a port. */
export function firstPacket(
	vantagePoint: VantagePoint,
	protocol: Protocol | 'sctp',
	port: number,
): Packet {
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
 * What the rules do with new connections from a vantage point, for all ports. Ports that no rule tells
 * from each other are evaluated together.
 */
export function judgePorts(
	rules: FamilyRules,
	vantagePoint: VantagePoint,
	protocol: Protocol,
): readonly Stretch[] {
	return stretches([rules]).map((range) => ({
		...range,
		decision: evaluate(rules, firstPacket(vantagePoint, protocol, range.first)),
	}));
}

/** The ports that the rules accept from a vantage point. */
export function openPorts(
	rules: FamilyRules,
	vantagePoint: VantagePoint,
	protocol: Protocol,
): readonly PortRange[] {
	return joinRanges(
		judgePorts(rules, vantagePoint, protocol).filter(({decision}) => decision.verdict === 'ACCEPT'),
	);
}

/**
 * All ports, cut where the rules may begin to treat a port unlike the one below it.
 * @param more further ports to cut in front of
 */
export function stretches(
	rules: readonly FamilyRules[],
	more: readonly number[] = [],
): readonly PortRange[] {
	return cutPorts([
		...more,
		...rules
			.flatMap(({tables}) => tables.flatMap(({chains}) => chains))
			.flatMap((chain) => chain.rules)
			.flatMap(({match}) => match.destinationPorts ?? [])
			.flatMap(({first, last}) => [first, last + 1]),
	]);
}

/** The first port of each stretch, and the last. */
export function edgesOf(ranges: readonly PortRange[]): readonly PortRange[] {
	return joinRanges(ranges.flatMap(({first, last}) => [onePort(first), onePort(last)]));
}

/** Each stretch whose first and last port are among `ports`, as a whole; of the others only the ports themselves. */
export function fillStretches(
	ranges: readonly PortRange[],
	ports: readonly PortRange[],
): readonly PortRange[] {
	return joinRanges([
		...ports,
		...ranges.filter(({first, last}) => hasPort(ports, first) && hasPort(ports, last)),
	]);
}
