import {readFileSync} from 'node:fs';
import os from 'node:os';
import ipaddr from 'ipaddr.js';

/** A TCP socket of this machine, as /proc/net/tcp and tcp6 show it (proc(5)). */
export type TcpSocket = {
	readonly state: 'established' | 'listening';
	/** IPv4 addresses that an IPv6 socket carries are given as IPv4. */
	readonly localAddress: string;
	readonly localPort: number;
	readonly remoteAddress: string;
	readonly remotePort: number;
	readonly inode: string;
};

const STATES: Readonly<Record<string, TcpSocket['state']>> = {
	'01': 'established',
	'0A': 'listening',
};

/** The TCP sockets of this network namespace that listen or are connected, both families. */
export function readTcpSockets(): readonly TcpSocket[] {
	return ['tcp', 'tcp6'].flatMap((name) => parseTcpTable(readOrEmpty(`/proc/net/${name}`)));
}

/** The local ports of bound UDP sockets by their inodes. */
export function readUdpPorts(): ReadonlyMap<string, number> {
	return new Map(
		['udp', 'udp6']
			.flatMap((name) => rowsOf(readOrEmpty(`/proc/net/${name}`)))
			.map((fields) => [fields[9] ?? '', parseEnd(fields[1] ?? '').port]),
	);
}

/** Reads the text of /proc/net/tcp or tcp6. */
export function parseTcpTable(text: string): readonly TcpSocket[] {
	return rowsOf(text).flatMap((fields) => {
		const [, local = '', remote = '', code = ''] = fields;
		const state = STATES[code];
		const [near, far] = [parseEnd(local), parseEnd(remote)];
		return state === undefined
			? []
			: [
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

/** Names a connection: no two open ones have the same. */
export function connectionKey(socket: TcpSocket): string {
	return `${socket.localAddress} ${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`;
}

export function isLoopback(address: string): boolean {
	return ipaddr.parse(address).range() === 'loopback';
}

function rowsOf(text: string): ReadonlyArray<readonly string[]> {
	return text
		.split('\n')
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter((fields) => fields.length > 9);
}

/** `0100007F:0016`: the address in words of 32 bits, each in the machine's byte order. */
function parseEnd(text: string): {address: string; port: number} {
	const [hex = '', port = ''] = text.split(':');
	const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [
		...(os.endianness() === 'LE' ? Buffer.from(word, 'hex').reverse() : Buffer.from(word, 'hex')),
	]);
	return {
		address: ipaddr.process(ipaddr.fromByteArray(bytes).toString()).toString(),
		port: Number.parseInt(port, 16),
	};
}

function readOrEmpty(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return '';
	}
}
