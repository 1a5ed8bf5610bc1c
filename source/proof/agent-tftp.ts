import dgram from 'node:dgram';
import net from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';

export type TftpServer = {readonly address: string; readonly port: number};

/** A read request (RFC 1350), and the answer that comes from another port than it went to. */
const READ_REQUEST = Buffer.from('\u0000\u0001file\u0000octet\u0000');
const FIRST_BLOCK = Buffer.from('\u0000\u0003\u0000\u0001x');

/** Answers each read request with its first block, from a new port. Stays until the agent ends. */
export async function serveTftp({address, port}: TftpServer): Promise<void> {
	const socket = dgram.createSocket(kindOf(address));
	socket.on('error', () => {});
	socket.on('message', (_, from) => {
		const answer = dgram.createSocket(kindOf(address));
		answer.on('error', () => {});
		answer.bind(0, address, () =>
			answer.send(FIRST_BLOCK, from.port, from.address, () => answer.close()),
		);
	});
	await new Promise<void>((resolve) => socket.bind(port, address, resolve));
}

export type TftpFetch = {
	readonly source: string;
	readonly target: string;
	readonly port: number;
	readonly timeout: number;
};

/** Asks for a file. @returns whether its first block came */
export async function fetchTftp({source, target, port, timeout}: TftpFetch): Promise<boolean> {
	const socket = dgram.createSocket(kindOf(target));
	try {
		return await Promise.race([
			new Promise<boolean>((resolve) => {
				socket.on('error', () => resolve(false)).on('message', () => resolve(true));
				socket.bind(0, source, () => socket.send(READ_REQUEST, port, target));
			}),
			delay(timeout, false),
		]);
	} finally {
		socket.close();
	}
}

function kindOf(address: string): 'udp4' | 'udp6' {
	return net.isIPv6(address) ? 'udp6' : 'udp4';
}
