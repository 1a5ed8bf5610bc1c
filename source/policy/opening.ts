import {type Network, printNetwork} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import type {IpProtocol} from './ip-protocols.ts';
import type {Protocol} from './services.ts';

/** A protocol with ports that an opening can name. */
export type PortProtocol = Protocol | 'sctp';

/** A port or a range that is open, optionally only from a network or on an interface. */
export type PortOpening = PortRange & {
	readonly kind: 'port';
	/** `both` is TCP and UDP. */
	readonly protocol: PortProtocol | 'both';
	readonly from?: Network;
	readonly on?: string;
	/**
	 * Each source may begin only some new connections a minute, counted over all ports of the opening
	 * together, TCP and UDP apart. Never set for SCTP.
	 */
	readonly limit: boolean;
};

/** An IP protocol that is open as a whole, optionally only from a network or on an interface. */
export type ProtocolOpening = {
	readonly kind: 'protocol';
	readonly protocol: IpProtocol;
	readonly from?: Network;
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
	const on = opening.on === undefined ? '' : ` on ${opening.on}`;
	if (isDiscovery(opening)) {
		return `${opening.kind}${on}`;
	}

	const from = opening.from === undefined ? '' : ` from ${printNetwork(opening.from)}`;
	if (opening.kind === 'protocol') {
		return `${opening.protocol.name}${from}${on}`;
	}

	const protocol = opening.protocol === 'both' ? '' : `/${opening.protocol}`;
	return `${printPorts(opening, '-')}${protocol}${from}${on}${opening.limit ? ' limit' : ''}`;
}
