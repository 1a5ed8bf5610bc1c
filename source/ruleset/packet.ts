import ipaddr from 'ipaddr.js';
import {InputError} from '../lib/errors.ts';
import {canonicalAddress, FAMILIES, type Family} from '../lib/network.ts';
import {LAST_PORT} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {
	IP_PROTOCOLS,
	PROTOCOL_NUMBERS,
	protocolNamed,
	protocolNumbered,
} from '../policy/ip-protocols.ts';
import type {CtState} from './model.ts';
import {protocolOfNumber} from './protocol-names.ts';

/** An incoming packet, with the fields that rules can match. */
export type Packet = {
	readonly family: Family;
	readonly inInterface: string;
	readonly source: string;
	/** Absent: an address of this machine. */
	readonly destination?: string;
	/** In the spelling of a rule set (protocol-names.ts). */
	readonly protocol: string;
	readonly sourcePort?: number;
	readonly destinationPort?: number;
	/** For TCP: SYN set, ACK, RST and FIN clear. */
	readonly syn?: boolean;
	/** Its state in conntrack. */
	readonly state: CtState;
};

const HINT = 'Write: tcp 3306 from 192.0.2.7, or udp 53 on eth0, or icmp';
/** Addresses for documentation (RFC 5737, RFC 3849). They stand for any source. */
export const STRANGER: Readonly<Record<Family, string>> = {4: '192.0.2.1', 6: '2001:db8::1'};

/**
 * Reads `PROTOCOL [PORT] [from ADDRESS] [to ADDRESS] [on INTERFACE]`: the first packet of a new
 * connection. Without an address the result is one packet of each family.
 * @param inInterface the interface where the text names none
 * @throws {InputError}
 */
export function parsePacket(text: string, inInterface: string): readonly Packet[] {
	const words = text
		.trim()
		.replace(/^(\w+)\//, '$1 ')
		.split(/\s+/);
	if (/^\d+$/.test(words[0] ?? '') && /^(tcp|udp|sctp)$/i.test(words[1] ?? '')) {
		words.splice(0, 2, words[1] ?? '', words[0] ?? '');
	}

	const word = (words.shift() ?? '').toLowerCase();
	const {protocol, families: ofProtocol} = parseProtocol(word, words);
	const ports = /^(tcp|udp|sctp)$/.test(protocol) ? parsePort(words.shift()) : {};
	const where = parseWhere(words);
	const addresses = [where.from, where.to].filter((address) => address !== undefined);
	const families = FAMILIES.filter(
		(family) =>
			ofProtocol.includes(family) &&
			addresses.every((address) => (ipaddr.parse(address).kind() === 'ipv4') === (family === 4)),
	);
	if (families.length === 0) {
		throw new InputError(
			ofProtocol.length === 1
				? `${word.toUpperCase()} is a part of IPv4 only`
				: 'The two addresses are of different families',
			HINT,
		);
	}

	return families.map((family) => ({
		family,
		inInterface: where.on ?? inInterface,
		source: where.from ?? STRANGER[family],
		...(where.to === undefined ? {} : {destination: where.to}),
		protocol: protocol === 'icmp' && family === 6 ? 'ipv6-icmp' : protocol,
		...ports,
		...(protocol === 'tcp' ? {syn: true} : {}),
		state: 'NEW',
	}));
}

/** The protocol of a packet, in the spelling of a rule set, and the families that have it. */
function parseProtocol(
	word: string,
	words: string[],
): {readonly protocol: string; readonly families: readonly Family[]} {
	if (['tcp', 'udp', 'icmp'].includes(word)) {
		return {protocol: word, families: FAMILIES};
	}

	const number = word === 'protocol' ? Number(words.shift()) : undefined;
	const known =
		number === undefined
			? protocolNamed(word)
			: PROTOCOL_NUMBERS.first <= number && number <= PROTOCOL_NUMBERS.last
				? protocolNumbered(number)
				: undefined;
	if (known === undefined) {
		const names = ['tcp', 'udp', 'icmp', ...IP_PROTOCOLS.map(({name}) => name)];
		throw new InputError(
			`"${printable(word)}" is not a protocol: ${names.join(', ')}, protocol N`,
			HINT,
		);
	}

	return {protocol: protocolOfNumber(known.number), families: known.families};
}

function parsePort(text: string | undefined): {sourcePort: number; destinationPort: number} {
	const port = Number(text);
	if (text === undefined || !/^\d+$/.test(text) || port > LAST_PORT) {
		throw new InputError(
			`After the protocol comes a port${text ? `, not "${printable(text)}"` : ''}`,
			HINT,
		);
	}

	// The first port of the dynamic range (RFC 6335) stands for any source port.
	return {sourcePort: 49_152, destinationPort: port};
}

function parseWhere(words: string[]): {from?: string; to?: string; on?: string} {
	const where: {from?: string; to?: string; on?: string} = {};
	while (words.length > 0) {
		const [word = '', value] = words.splice(0, 2);
		const key = word.toLowerCase();
		if ((key !== 'from' && key !== 'to' && key !== 'on') || value === undefined) {
			throw new InputError(`"${printable(word)}" is not understood here`, HINT);
		}

		if (where[key] !== undefined) {
			throw new InputError(`"${key}" is there twice`, HINT);
		}

		where[key] = key === 'on' ? value : canonicalAddress(value);
	}

	return where;
}
