import {
	intersectRanges,
	onePort,
	type PortRange,
	rangesOverlap,
	subtractRanges,
} from '../lib/port-ranges.ts';
import {mergeOpenings} from './merge-openings.ts';
import type {Opening, PortOpening, PortProtocol} from './opening.ts';
import type {Protocol} from './services.ts';

/** One port of one protocol. */
export type Port = {readonly protocol: Protocol; readonly port: number};

/** The ports of local discovery. `mdns` and `ssdp` open theirs for multicast destinations only. */
const DISCOVERY_PORTS = {mdns: 5353, ssdp: 1900} as const;

/** Whether an opening opens a port, be it for some sources or on one interface only. */
export function covers(opening: Opening, {protocol, port}: Port): boolean {
	switch (opening.kind) {
		case 'mdns':
		case 'ssdp':
			return protocol === 'udp' && port === DISCOVERY_PORTS[opening.kind];
		case 'protocol':
			return false;
		case 'port':
			return (
				(opening.protocol === 'both' || opening.protocol === protocol) &&
				opening.first <= port &&
				port <= opening.last
			);
	}
}

/** The opening that opens a port for all sources. */
export function openingOf({protocol, port}: Port): Opening {
	const kind = (['mdns', 'ssdp'] as const).find((name) => DISCOVERY_PORTS[name] === port);
	return protocol === 'udp' && kind !== undefined
		? {kind}
		: {kind: 'port', protocol, ...onePort(port), limit: false};
}

/** The openings with a port closed. A range, or an opening of both protocols, keeps its other ports. */
export function withoutPort(openings: readonly Opening[], port: Port): readonly Opening[] {
	const ports = {protocol: port.protocol, ...onePort(port.port)};
	return mergeOpenings(
		openings.flatMap((opening): readonly Opening[] =>
			!covers(opening, port) ? [opening] : opening.kind === 'port' ? restOf(opening, ports) : [],
		),
	);
}

/** Ports of one protocol. */
export type Ports = PortRange & {readonly protocol: Protocol};

/** Whether an opening opens some of the ports by their numbers, be it for some sources or on one interface only. */
export function touches(opening: Opening, ports: Ports): opening is PortOpening {
	return (
		opening.kind === 'port' &&
		(opening.protocol === 'both' || opening.protocol === ports.protocol) &&
		rangesOverlap(opening, ports)
	);
}

/** What is left of an opening when some ports are closed. */
export function restOf(opening: PortOpening, ports: Ports): readonly PortOpening[] {
	return divideOpening(opening, ports).outside;
}

/** What of an opening is among some ports, and the rest of it; each part of both protocols as two. */
export function divideOpening(
	opening: PortOpening,
	{protocol, ...range}: Pick<PortOpening, 'protocol' | 'first' | 'last'>,
): Readonly<Record<'inside' | 'outside', readonly PortOpening[]>> {
	const [has, takes] = [protocolsOf(opening.protocol), protocolsOf(protocol)];
	const shared = has.filter((one) => takes.includes(one));
	const others = has.filter((one) => !takes.includes(one));
	const parts = (ranges: readonly PortRange[]) =>
		shared.flatMap((one) =>
			ranges.map(({first, last}) => ({...opening, first, last, protocol: one})),
		);
	return {
		inside: parts(intersectRanges([opening], [range])),
		outside: [
			...parts(subtractRanges([opening], [range])),
			...others.map((one) => ({...opening, protocol: one})),
		],
	};
}

function protocolsOf(protocol: PortOpening['protocol']): readonly PortProtocol[] {
	return protocol === 'both' ? ['tcp', 'udp'] : [protocol];
}
