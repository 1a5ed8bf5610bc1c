import {cutPorts, hasPort, joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import {type Decision, evaluate} from './evaluate.ts';
import type {FamilyRules} from './model.ts';
import type {Packet} from './packet.ts';

/**
 * Somewhere that packets come from: an address, and the interface that they come in on. The address
 * that they go to is one of the machine's own where it is given.
 */
export type VantagePoint = Pick<Packet, 'family' | 'inInterface' | 'source' | 'destination'>;

/** Ports of one kind of packet that are judged alike. */
export type Stretch = PortRange & {readonly decision: Decision};

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
	return stretches([rules]).map((range) => ({
		...range,
		decision: evaluate(rules, firstPacket(vantagePoint, protocol, range.first)),
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

/** All ports, cut where the rules may begin to treat a port unlike the one below it. */
export function stretches(rules: readonly FamilyRules[]): readonly PortRange[] {
	return cutPorts(
		rules
			.flatMap(({tables}) => tables.flatMap(({chains}) => chains))
			.flatMap((chain) => chain.rules)
			.flatMap(({match}) => match.destinationPorts ?? [])
			.flatMap(({first, last}) => [first, last + 1]),
	);
}

/** The first port of each stretch, and the last. */
export function edgesOf(ranges: readonly PortRange[]): readonly PortRange[] {
	return joinRanges(ranges.flatMap(({first, last}) => [onePort(first), onePort(last)]));
}

/** The stretches of which both edges are among the ports, whole; of the others what is among them. */
export function fillStretches(
	ranges: readonly PortRange[],
	ports: readonly PortRange[],
): readonly PortRange[] {
	return joinRanges([
		...ports,
		...ranges.filter(({first, last}) => hasPort(ports, first) && hasPort(ports, last)),
	]);
}
