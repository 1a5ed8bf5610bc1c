import os from 'node:os';
import ipaddr from 'ipaddr.js';
import type {Family} from '../../lib/network.ts';
import type {Protocol} from '../../policy/services.ts';
import {readText} from '../files/read-text.ts';
import {socketTables} from '../rehearsal/is-rehearsal.ts';

/** A TCP socket of this machine, as /proc/net/tcp and tcp6 show it (proc(5)). */
export type TcpSocket = {
	readonly state: 'established' | 'listening';
	/** An IPv4 address that an IPv6 socket carries (::ffff:192.0.2.1) is given as IPv4. */
	readonly localAddress: string;
	readonly localPort: number;
	readonly remoteAddress: string;
	readonly remotePort: number;
	readonly inode: string;
};

/** A socket that waits for packets or connections, as one of the four tables of /proc/net shows it. */
export type BoundSocket = {
	readonly protocol: Protocol;
	/** The family of its table. An IPv6 socket that is bound to an IPv4 address counts as IPv4. */
	readonly family: Family;
	readonly address: string;
	readonly port: number;
	/** The user who has opened it. */
	readonly uid: number;
	/** '0' where the kernel has opened it for itself. */
	readonly inode: string;
};

const TABLES = [
	{file: 'tcp', protocol: 'tcp', family: 4},
	{file: 'tcp6', protocol: 'tcp', family: 6},
	{file: 'udp', protocol: 'udp', family: 4},
	{file: 'udp6', protocol: 'udp', family: 6},
] as const;

/**
 * The codes of the states of a listening TCP socket, and of a UDP socket without a peer
 * (TCP_CLOSE).
 */
const WAITING = {tcp: '0A', udp: '07'} as const;

const STATES: Readonly<Record<string, TcpSocket['state']>> = {
	'01': 'established',
	'0A': 'listening',
};

/** The listening and the connected TCP sockets of this network namespace, of both families. */
export function readTcpSockets(): readonly TcpSocket[] {
	return ['tcp', 'tcp6'].flatMap((name) => parseTcpTable(readText(`/proc/net/${name}`) ?? ''));
}

/**
 * The listening TCP sockets of this machine, and its UDP sockets without a peer. In a rehearsal, too,
 * they are those of the machine and not of the rehearsal's own network.
 */
export function readBoundSockets(): readonly BoundSocket[] {
	const folder = socketTables();
	return TABLES.flatMap(({file, protocol, family}) =>
		parseBoundSockets(readText(`${folder}/${file}`) ?? '', protocol, family),
	);
}

/** Parses /proc/net/tcp, tcp6, udp or udp6. */
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

/** Parses /proc/net/tcp or tcp6. */
export function parseTcpTable(text: string): readonly TcpSocket[] {
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
				inode: fields[9] ?? '',
			},
		];
	});
}

/**
 * The connections that other machines have made to this one: their local port is one on which this
 * machine listens. Connections over loopback are left out.
 */
export function inboundOf(sockets: readonly TcpSocket[]): readonly TcpSocket[] {
	const ports = new Set(
		sockets.filter(({state}) => state === 'listening').map(({localPort}) => localPort),
	);
	return sockets.filter(
		({state, localPort, remoteAddress}) =>
			state === 'established' && ports.has(localPort) && !isLoopback(remoteAddress),
	);
}

/** A text that identifies a connection: no two open connections have the same. */
export function connectionKey(socket: TcpSocket): string {
	return `${socket.localAddress} ${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`;
}

export function isLoopback(address: string): boolean {
	const all = address === '0.0.0.0' || address === '::';
	return !all && ipaddr.parse(address).range() === 'loopback';
}

function rowsOf(text: string): ReadonlyArray<readonly string[]> {
	return text
		.split('\n')
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((fields) => fields.length > 9);
}

/**
 * Parses an address and a port, as `0100007F:0016`: words of 32 bits, each in the machine's byte
 * order.
 */
function parseEnd(text: string): {address: string; port: number} {
	const [hex = '', port = ''] = text.split(':');
	return {address: addressOf(hex), port: Number.parseInt(port, 16)};
}

function addressOf(hex: string): string {
	// Nearly all of thousands of sockets have this address: it needs no parsing.
	if (/^0+$/.test(hex)) {
		return hex.length === 8 ? '0.0.0.0' : '::';
	}

	const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [
		...(os.endianness() === 'LE' ? Buffer.from(word, 'hex').reverse() : Buffer.from(word, 'hex')),
	]);
	return ipaddr.process(ipaddr.fromByteArray(bytes).toString()).toString();
}
