import {FAMILIES, type Family, familyOf} from '../../lib/network.ts';
import {SCTP, UDP_LITE} from '../../policy/ip-protocols.ts';
import {addressOf, parseEnd, rowsOf, WAITING} from './proc-net.ts';

/** A socket that receives all packets of a protocol, or an SCTP socket that waits for others. */
type ProtocolSocket = {
	readonly number: number;
	readonly families: readonly Family[];
	readonly address: string;
	/** Only of SCTP. */
	readonly port?: number;
	readonly inode: string;
};

/** Reads the text of /proc/net/raw or raw6, where the protocol stands in the place of the port. */
export function parseRawSockets(text: string, family: Family): readonly ProtocolSocket[] {
	return rowsOf(text).map(([, local = '', , , , , , , , inode = '']) => {
		const {address, port: number} = parseEnd(local);
		return {number, families: [family], address, inode};
	});
}

/** Reads the text of /proc/net/udplite or udplite6: its sockets without a peer. */
export function parseUdpLite(text: string): readonly ProtocolSocket[] {
	return rowsOf(text)
		.filter((fields) => fields[3] === WAITING.udp)
		.map(([, local = '', , , , , , , , inode = '']) => {
			const {address} = parseEnd(local);
			return {number: UDP_LITE, families: [familyOf(address)], address, inode};
		});
}

/** The state of an SCTP socket that waits for others (SCTP_SS_LISTENING). */
const SCTP_LISTENING = '10';

/**
 * Reads the text of /proc/net/sctp/eps (net/sctp/proc.c): two pointers, style, state, hash, port, user,
 * inode, addresses. It is there where the module is loaded.
 */
export function parseSctpEndpoints(text: string): readonly ProtocolSocket[] {
	return rowsOf(text, 8)
		.filter((fields) => fields[3] === SCTP_LISTENING)
		.map((fields) => {
			const addresses = fields.slice(8);
			const families = FAMILIES.filter((family) =>
				// An IPv6 socket on all addresses takes IPv4 as well (RFC 6458, 3.3).
				addresses.some((address) => address === '::' || familyOf(address) === family),
			);
			return {
				...{number: SCTP, families, address: addresses[0] ?? '', port: Number(fields[5])},
				inode: fields[7] ?? '',
			};
		});
}

/** A multicast group of IPv4 that something on this machine is a member of. */
type Membership = {readonly on: string; readonly group: string};

/**
 * Reads the text of /proc/net/igmp (net/ipv4/igmp.c): a line for each interface, with its number and its
 * name, and under it a line for each group.
 */
export function parseMemberships(text: string): readonly Membership[] {
	let on = '';
	return text
		.split('\n')
		.slice(1)
		.flatMap((line) => {
			const [, name] = /^\d+\t(\S+)\s*:/.exec(line) ?? [];
			on = name ?? on;
			const [, group] = /^\s+([\dA-F]{8})\s/.exec(line) ?? [];
			return group === undefined ? [] : [{on, group: addressOf(group)}];
		});
}
