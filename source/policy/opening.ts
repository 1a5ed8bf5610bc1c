import {type Network, printNetwork} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import type {IpProtocol} from './ip-protocols.ts';
import type {Protocol} from './services.ts';

/** A protocol with ports that an opening can name. */
export type PortProtocol = Protocol | 'sctp';

/** Addresses and networks that an opening is for, of either family: at least one, none within another. */
export type Sources = readonly Network[];

/** A port or a range that is open, optionally only from some sources or on an interface. */
export type PortOpening = PortRange & {
	readonly kind: 'port';
	/** `both` is TCP and UDP. */
	readonly protocol: PortProtocol | 'both';
	readonly from?: Sources;
	readonly on?: string;
	/**
	 * Each source may begin only some new connections a minute, counted over all ports of the opening
	 * together, TCP and UDP apart. Never set for SCTP.
	 */
	readonly limit: boolean;
};

/** An IP protocol that is open as a whole, optionally only from some sources or on an interface. */
export type ProtocolOpening = {
	readonly kind: 'protocol';
	readonly protocol: IpProtocol;
	readonly from?: Sources;
	readonly on?: string;
};

/**
 * Local discovery. `mdns`: multicast DNS (RFC 6762) and IGMP, multicast destinations only. `ssdp` (UPnP Device
 * Architecture 2.0, 1): searches and announcements by multicast, IGMP, and answers to this machine's
 * own searches, which come from port 1900 to the port that asked. Conntrack cannot tell these answers
 * from other packets, so each machine of a local network can send them unasked.
 */
export type DiscoveryOpening = {
	readonly kind: 'mdns' | 'ssdp';
	readonly on?: string;
};

export type Opening = PortOpening | ProtocolOpening | DiscoveryOpening;

/** Whether an opening is for finding devices of the local network, and has no source. */
export function isDiscovery(opening: Opening): opening is DiscoveryOpening {
	return opening.kind === 'mdns' || opening.kind === 'ssdp';
}

/** The canonical text of an opening; `parseOpening` reads it back to the same value. */
export function printOpening(opening: Opening): string {
	return formatOpening(opening, (from) => from.map(printNetwork).join(', '));
}

/** The same for a list on the screen: of more than three sources only the first two, and how many follow. */
export function shortOpening(opening: Opening): string {
	return formatOpening(opening, shortSources);
}

/** `198.51.100.0/24, 2001:db8::/32 and 20 more` */
export function shortSources(from: Sources): string {
	const [shown, more] = from.length > 3 ? [from.slice(0, 2), from.length - 2] : [from, 0];
	return `${shown.map(printNetwork).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function formatOpening(opening: Opening, sources: (from: Sources) => string): string {
	const on = opening.on === undefined ? '' : ` on ${opening.on}`;
	if (isDiscovery(opening)) {
		return `${opening.kind}${on}`;
	}

	const from = opening.from === undefined ? '' : ` from ${sources(opening.from)}`;
	if (opening.kind === 'protocol') {
		return `${opening.protocol.name}${from}${on}`;
	}

	const protocol = opening.protocol === 'both' ? '' : `/${opening.protocol}`;
	return `${printPorts(opening, '-')}${protocol}${from}${on}${opening.limit ? ' limit' : ''}`;
}
