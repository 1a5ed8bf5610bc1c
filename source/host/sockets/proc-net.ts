import os from 'node:os';
import ipaddr from 'ipaddr.js';
import type {Family} from '../../lib/network.ts';
import type {Protocol} from '../../policy/services.ts';
import {readText} from '../files/read-text.ts';
import {socketTables} from '../rehearsal/is-rehearsal.ts';

/** A TCP socket of this machine, as /proc/net/tcp and tcp6 show it (proc(5)). */
export type TcpSocket = {
	/** `opening`: the first packet has come in, the handshake is not complete. */
	readonly state: 'established' | 'opening' | 'listening';
	/** IPv4 addresses that an IPv6 socket carries are given as IPv4. */
	readonly localAddress: string;
	readonly localPort: number;
	readonly remoteAddress: string;
	readonly remotePort: number;
	/** The user who has opened it, or accepted the connection; 0 is root. */
	readonly uid: number;
	readonly inode: string;
};

/** A socket that waits for others, as one of the four tables of /proc/net shows it. */
export type BoundSocket = {
	readonly protocol: Protocol;
	/** The family of its table. An IPv6 socket that is bound to an IPv4 address counts as IPv4. */
	readonly family: Family;
	readonly address: string;
	readonly port: number;
	/** Who has opened it. */
	readonly uid: number;
	/** `0` where the kernel has opened it for itself. */
	readonly inode: string;
};

const TABLES = [
	{file: 'tcp', protocol: 'tcp', family: 4},
	{file: 'tcp6', protocol: 'tcp', family: 6},
	{file: 'udp', protocol: 'udp', family: 4},
	{file: 'udp6', protocol: 'udp', family: 6},
] as const;

/** The state of a TCP socket that listens, and of a UDP socket without a peer (TCP_CLOSE). */
export const WAITING = {tcp: '0A', udp: '07'} as const;

const STATES: Readonly<Record<string, TcpSocket['state']>> = {
	'01': 'established',
	'03': 'opening',
	'0A': 'listening',
};

/** The TCP sockets of this network namespace that listen or are connected, both families. */
export function readTcpSockets(): readonly TcpSocket[] {
	return ['tcp', 'tcp6'].flatMap((name) => parseTcpTable(readText(`/proc/net/${name}`) ?? ''));
}

/**
 * The TCP sockets of this machine that listen, and its UDP sockets without a peer; in a rehearsal too.
 * @param wanted one of the two, where that will do: for TCP the kernel goes through all places for connections
 */
export function readBoundSockets(wanted?: Protocol): readonly BoundSocket[] {
	const folder = socketTables();
	return TABLES.filter(({protocol}) => protocol === (wanted ?? protocol)).flatMap(
		({file, protocol, family}) =>
			parseBoundSockets(readText(`${folder}/${file}`) ?? '', protocol, family),
	);
}

/** A port of another machine to which a program here is connected as a client. */
export type Peer = Pick<BoundSocket, 'protocol' | 'port'>;

/** The ports of other machines to which programs of this machine have connected; in a rehearsal too. */
export function readPeers(): readonly Peer[] {
	const folder = socketTables();
	const rows = TABLES.flatMap(({file, protocol}) =>
		rowsOf(readText(`${folder}/${file}`) ?? '').map(([, local = '', remote = '', state]) => ({
			...{protocol, state, near: parseEnd(local).port, far: parseEnd(remote)},
		})),
	);
	const serving = new Set(rows.filter(({state}) => state === WAITING.tcp).map(({near}) => near));
	return rows
		.filter(
			({protocol, state, near, far}) =>
				STATES[state ?? ''] === 'established' &&
				!(protocol === 'tcp' && serving.has(near)) &&
				!isLoopback(far.address),
		)
		.map(({protocol, far}) => ({protocol, port: far.port}));
}

/** Reads the text of /proc/net/tcp, tcp6, udp or udp6. */
export function parseBoundSockets(
	text: string,
	protocol: Protocol,
	family: Family,
): readonly BoundSocket[] {
	return rowsOf(text)
		.filter((fields) => fields[3] === WAITING[protocol])
		.map(([, local = '', , , , , , uid, , inode = '']) => {
			const {address, port} = parseEnd(local);
			const mapped = !address.includes(':');
			return {protocol, family: mapped ? 4 : family, address, port, uid: Number(uid), inode};
		});
}

/** The local ports of bound UDP sockets by their inodes. */
export function readUdpPorts(): ReadonlyMap<string, number> {
	return new Map(
		['udp', 'udp6']
			.flatMap((name) => rowsOf(readText(`/proc/net/${name}`) ?? ''))
			.map((fields) => [fields[9] ?? '', parseEnd(fields[1] ?? '').port]),
	);
}

/** Reads the text of /proc/net/tcp or tcp6. */
function parseTcpTable(text: string): readonly TcpSocket[] {
	return rowsOf(text).flatMap((fields) => {
		const [, local = '', remote = '', code = ''] = fields;
		const state = STATES[code];
		if (state === undefined) {
			return [];
		}

		const [near, far] = [parseEnd(local), parseEnd(remote)];
		return [
			{
				state,
				localAddress: near.address,
				localPort: near.port,
				remoteAddress: far.address,
				remotePort: far.port,
				uid: Number(fields[7]),
				inode: fields[9] ?? '',
			},
		];
	});
}

/** Connections that others made to this machine: those on a port where it listens. Less loopback. */
export function inboundOf(sockets: readonly TcpSocket[]): readonly TcpSocket[] {
	const ports = new Set(
		sockets.filter(({state}) => state === 'listening').map(({localPort}) => localPort),
	);
	return sockets.filter(
		({state, localPort, remoteAddress}) =>
			state === 'established' && ports.has(localPort) && !isLoopback(remoteAddress),
	);
}

/**
 * Names all connections of this machine, also those whose handshake is not complete: their first
 * packet has passed the rules. A server that is being restarted has connections, and listens nowhere.
 */
export function connectionKeys(): readonly string[] {
	return readTcpSockets()
		.filter(({state}) => state !== 'listening')
		.map(connectionKey);
}

/** Names a connection: no two open ones have the same. */
export function connectionKey(socket: Omit<TcpSocket, 'state' | 'uid' | 'inode'>): string {
	return `${socket.localAddress} ${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`;
}

/** The spelling of addresses in `TcpSocket`. @throws {Error} where the text is no address */
export function spellAddress(text: string): string {
	return ipaddr.process(text).toString();
}

export function isLoopback(address: string): boolean {
	const all = address === '0.0.0.0' || address === '::';
	return !all && ipaddr.parse(address).range() === 'loopback';
}

/** The rows of a table, by their fields; less its heading, and what has no more fields than `least`. */
export function rowsOf(text: string, least = 9): ReadonlyArray<readonly string[]> {
	return text
		.split('\n')
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((fields) => fields.length > least);
}

/** `0100007F:0016`: the address in words of 32 bits, each in the machine's byte order. */
export function parseEnd(text: string): {address: string; port: number} {
	const [hex = '', port = ''] = text.split(':');
	return {address: addressOf(hex), port: Number.parseInt(port, 16)};
}

/** An address in hexadecimal, as in these tables. */
export function addressOf(hex: string): string {
	// Of thousands of sockets nearly all: not worth being taken apart.
	if (/^0+$/.test(hex)) {
		return hex.length === 8 ? '0.0.0.0' : '::';
	}

	const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [
		...(os.endianness() === 'LE' ? Buffer.from(word, 'hex').reverse() : Buffer.from(word, 'hex')),
	]);
	return spellAddress(ipaddr.fromByteArray(bytes).toString());
}
