import {FAMILIES, type Family} from '../lib/network.ts';

/** A protocol that is carried by IP itself, beside TCP and UDP: by its number, without ports. */
export type IpProtocol = {
	/** The word of an opening: `esp`, `protocol 103`. */
	readonly name: string;
	/** The number in the IP header (IANA, Assigned Internet Protocol Numbers). */
	readonly number: number;
	/** The families in which rules can match it. */
	readonly families: readonly Family[];
	/** What it is, for the user. */
	readonly purpose: string;
	/** The multicast groups that its packets go to, beside the machine's own addresses (IANA). */
	readonly groups?: Readonly<Partial<Record<Family, readonly string[]>>>;
};

const IPV4_ONLY: readonly Family[] = [4];

/** SCTP (RFC 9260) has ports, and can be opened as a whole as well. */
export const SCTP = 132;
/** UDP-Lite (RFC 3828). Its ports are not told apart in openings. */
export const UDP_LITE = 136;

/**
 * The protocols that have a word. AH is a header like others in IPv6, where rules see what comes after
 * it; IGMP is a part of IPv4 (IPv6 has MLD, which is ICMPv6). `ipip` and `6in4` are the tunnels over
 * IPv4; `protocol 4` and `protocol 41` open them in both families.
 */
export const IP_PROTOCOLS: readonly IpProtocol[] = [
	{
		name: 'igmp',
		number: 2,
		families: IPV4_ONLY,
		purpose: 'IGMP, membership of multicast groups',
		groups: {4: ['224.0.0.1']},
	},
	{name: 'ipip', number: 4, families: IPV4_ONLY, purpose: 'IPIP, a tunnel of IPv4 over IPv4'},
	{name: '6in4', number: 41, families: IPV4_ONLY, purpose: '6in4, a tunnel of IPv6 over IPv4'},
	{name: 'gre', number: 47, families: FAMILIES, purpose: 'GRE, a tunnel'},
	{name: 'esp', number: 50, families: FAMILIES, purpose: 'ESP, the encrypted packets of IPsec'},
	{name: 'ah', number: 51, families: IPV4_ONLY, purpose: 'AH, the signed packets of IPsec'},
	{
		name: 'ospf',
		number: 89,
		families: FAMILIES,
		purpose: 'OSPF, routes from other routers',
		groups: {4: ['224.0.0.5', '224.0.0.6'], 6: ['ff02::5', 'ff02::6']},
	},
	{
		name: 'vrrp',
		number: 112,
		families: FAMILIES,
		purpose: 'VRRP, an address that machines share',
		groups: {4: ['224.0.0.18'], 6: ['ff02::12']},
	},
	{name: 'sctp', number: SCTP, families: FAMILIES, purpose: 'SCTP, all of its ports'},
];

/** The first and the last number that `protocol N` takes. In a rule of iptables 0 means every protocol; 255 is reserved. */
export const PROTOCOL_NUMBERS = {first: 2, last: 254} as const;

/** Numbers that TCP and UDP have, whose ports are opened, and ICMPv6, which is always open. */
export const WITH_OWN_RULES: ReadonlyMap<number, string> = new Map([
	[6, 'TCP'],
	[17, 'UDP'],
	[58, 'ICMPv6'],
]);

/**
 * Extension headers of IPv6 (RFC 8200, 4). Rules see the protocol that comes after them
 * (ipv6_find_hdr in net/ipv6/exthdrs_core.c), so that these numbers match nothing over IPv6.
 */
const EXTENSION_HEADERS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60]);

/** The protocol of a word, or undefined. */
export function protocolNamed(name: string): IpProtocol | undefined {
	return IP_PROTOCOLS.find((protocol) => protocol.name === name);
}

/** The protocol of a number, in all families in which rules can match it. */
export function protocolNumbered(number: number): IpProtocol {
	const families = EXTENSION_HEADERS.has(number) ? IPV4_ONLY : FAMILIES;
	const named = IP_PROTOCOLS.find(
		(protocol) =>
			protocol.number === number && (protocol.families.length === families.length || number === 2),
	);
	return (
		named ?? {
			name: `protocol ${number}`,
			number,
			families,
			purpose: `IP protocol ${number}`,
		}
	);
}

/** The protocol of a number in one family, by its word where it has one: `6in4` for 41 over IPv4. */
export function protocolOver(number: number, family: Family): IpProtocol {
	return (
		IP_PROTOCOLS.find(
			(protocol) => protocol.number === number && protocol.families.includes(family),
		) ?? protocolNumbered(number)
	);
}
