import {onePort} from '../lib/port-ranges.ts';
import {mergeOpenings} from './merge-openings.ts';
import type {Opening, PortOpening} from './opening.ts';
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
	return mergeOpenings(
		openings.flatMap((opening): readonly Opening[] =>
			!covers(opening, port) ? [opening] : opening.kind === 'port' ? restOf(opening, port) : [],
		),
	);
}

function restOf(opening: PortOpening, {protocol, port}: Port): readonly PortOpening[] {
	const {first, last} = opening;
	const other = protocol === 'tcp' ? 'udp' : 'tcp';
	return [
		...(first < port ? [{...opening, last: port - 1, protocol}] : []),
		...(port < last ? [{...opening, first: port + 1, protocol}] : []),
		...(opening.protocol === 'both' ? [{...opening, protocol: other} as const] : []),
	];
}
