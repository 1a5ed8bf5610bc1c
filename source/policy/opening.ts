import {type Network, printNetwork} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import type {Protocol} from './services.ts';

/** A port or a range that is open, optionally only from a network or on an interface. */
export type PortOpening = PortRange & {
	readonly kind: 'port';
	readonly protocol: Protocol | 'both';
	readonly from?: Network;
	readonly on?: string;
	/**
	 * Each source may begin only some new connections a minute, counted over all ports of the opening
	 * together, TCP and UDP apart.
	 */
	readonly limit: boolean;
};

/** Local discovery: multicast DNS (RFC 6762) and IGMP, multicast destinations only. */
export type MdnsOpening = {
	readonly kind: 'mdns';
	readonly on?: string;
};

export type Opening = PortOpening | MdnsOpening;

/** The canonical text of an opening; `parseOpening` reads it back to the same value. */
export function printOpening(opening: Opening): string {
	const on = opening.on === undefined ? '' : ` on ${opening.on}`;
	if (opening.kind === 'mdns') {
		return `mdns${on}`;
	}

	const protocol = opening.protocol === 'both' ? '' : `/${opening.protocol}`;
	const from = opening.from === undefined ? '' : ` from ${printNetwork(opening.from)}`;
	return `${printPorts(opening, '-')}${protocol}${from}${on}${opening.limit ? ' limit' : ''}`;
}
