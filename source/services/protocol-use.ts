import {groupBy} from '../lib/group-by.ts';
import {contains, type Family} from '../lib/network.ts';
import {type IpProtocol, SCTP} from '../policy/ip-protocols.ts';
import {isDiscovery, type Opening, type ProtocolOpening, printOpening} from '../policy/opening.ts';
import {networksOf} from '../policy/sources.ts';

/** Something on this machine that receives packets of a protocol without ports, or of SCTP. */
export type ProtocolUse = {
	readonly protocol: IpProtocol;
	/** The families in which it receives them. */
	readonly families: readonly Family[];
	/** The port of SCTP on which a program waits. */
	readonly port?: number | undefined;
	/** The only address that packets come from: the other end of a tunnel. */
	readonly peer?: string | undefined;
	/** `keepalived`, `IPsec`, `the tunnel gre1`, `membership of 239.1.1.1`; safe to print. */
	readonly by: string;
	readonly how: 'raw socket' | 'IPsec' | 'tunnel' | 'SCTP socket' | 'UDP-Lite socket' | 'multicast';
	readonly pid?: number | undefined;
	/** The service that it belongs to: keepalived.service. */
	readonly unit?: string | undefined;
};

/** The opening that lets the packets of a use in, from all sources. */
export function openingForUse({protocol, port}: ProtocolUse): Opening {
	return protocol.number === SCTP && port !== undefined
		? {kind: 'port', protocol: 'sctp', first: port, last: port, limit: false}
		: {kind: 'protocol', protocol};
}

/** Whether an opening lets packets of a use in, be it from some sources or on one interface only. */
export function opensUse(opening: Opening, use: ProtocolUse): boolean {
	const {protocol, families, port, peer} = use;
	if (isDiscovery(opening)) {
		// Both open IGMP for multicast destinations, where all of it goes.
		return protocol.name === 'igmp';
	}

	const isSource =
		opening.from === undefined ||
		networksOf(opening.from).some(({family, cidr}) =>
			peer === undefined ? families.includes(family) : contains(cidr, peer),
		);
	return (
		isSource &&
		(opening.kind === 'protocol'
			? opening.protocol.number === protocol.number &&
				opening.protocol.families.some((family) => families.includes(family))
			: opening.protocol === 'sctp' &&
				port !== undefined &&
				opening.first <= port &&
				port <= opening.last)
	);
}

/** The uses that no opening lets in. */
export function findUnopened(
	uses: readonly ProtocolUse[],
	openings: readonly Opening[],
): readonly ProtocolUse[] {
	return uses.filter((use) => !openings.some((opening) => opensUse(opening, use)));
}

/** `keepalived receives VRRP, which is not open (to open it: vrrp)`; one sentence for each program, without a full stop. */
export function describeUnopened(uses: readonly ProtocolUse[]): readonly string[] {
	return groupBy(uses, ({by}) => by).map((group) => {
		const words = [...new Set(group.map((use) => printOpening(openingForUse(use))))];
		const names = [...new Set(group.map(nameOf))];
		return `${group[0].by} ${verbOf(group)} ${names.join(', ')}, which ${names.length === 1 ? 'is' : 'are'} not open. To open: ${words.join(', ')}`;
	});
}

/** What a use does with the packets: `receives`, or `needs` where they only keep others coming. */
export function verbOf(uses: readonly ProtocolUse[]): string {
	return uses.some(({how}) => how !== 'multicast') ? 'receives' : 'needs';
}

function nameOf({protocol, port}: ProtocolUse): string {
	return port === undefined ? spokenName(protocol) : `${port}/sctp`;
}

/** `VRRP`, `6in4`, `IP protocol 103` */
export function spokenName({name, number}: ProtocolOpening['protocol']): string {
	return name.startsWith('protocol ')
		? `IP protocol ${number}`
		: name === '6in4'
			? name
			: name.toUpperCase();
}
