import {joinSome} from '../lib/list.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {printComment} from './comment.ts';
import {describeEnd} from './ending.ts';
import type {IpProtocol} from './ip-protocols.ts';
import type {Protocol} from './services.ts';
import {printSource, type Sources} from './sources.ts';

/** A protocol with ports that an opening can name. */
export type PortProtocol = Protocol | 'sctp';

/** What an opening may have beside what it opens. */
export type OpeningNotes = {
	/** What the user says of it: plain text in one line, of at most `COMMENT_BYTES`. Its rules keep it. */
	readonly comment?: string;
	/** When it ends: an instant of UTC, as `parseInstant` reads it. The kernel ends it. Never set for discovery. */
	readonly until?: string;
};

/** A port or a range that is open, optionally only from some sources or on an interface. */
export type PortOpening = PortRange &
	OpeningNotes & {
		readonly kind: 'port';
		/** `both` is TCP and UDP. */
		readonly protocol: PortProtocol | 'both';
		readonly from?: Sources;
		/** The name of an interface; with `+` at its end, all that begin so. */
		readonly on?: string;
		/**
		 * Each source may begin only some new connections a minute, counted over all ports of the opening
		 * together, TCP and UDP apart. Never set for SCTP.
		 */
		readonly limit: boolean;
	};

/** An IP protocol that is open as a whole, optionally only from some sources or on an interface. */
export type ProtocolOpening = OpeningNotes & {
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
export type DiscoveryOpening = OpeningNotes & {
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
	return `${printOpened(opening)}${notes(opening)}`;
}

/** The same without what it has beside what it opens: its end and its comment. */
export function printOpened(opening: Opening): string {
	return formatOpening(opening, (from) => from.map(printSource).join(', '));
}

function notes({until, comment}: OpeningNotes): string {
	return `${until === undefined ? '' : ` until ${until}`}${comment === undefined ? '' : ` ${printComment(comment)}`}`;
}

/** The same for a list on the screen, with the time until it ends, and without a comment: of more than three sources only the first two, and how many follow. */
export function shortOpening(opening: Opening): string {
	const {until} = opening;
	const text = formatOpening(opening, shortSources);
	return until === undefined ? text : `${text} until ${describeEnd(until)}`;
}

/** `198.51.100.0/24, 2001:db8::/32 and 20 more` */
export function shortSources(from: Sources): string {
	return joinSome(from.map(printSource), from.length > 3 ? 2 : 3);
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
