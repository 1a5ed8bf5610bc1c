import dgram from 'node:dgram';
import net from 'node:net';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {setTimeout as delay, setImmediate as yieldToEventLoop} from 'node:timers/promises';

import type {PortRange} from '../lib/port-ranges.ts';
import {PROTOCOL_PORT, SCTP_PORT} from './protocol-packets.ts';
import {runHelperClient, runHelperServer} from './protocols/index.ts';
import {sctpInit} from './sctp.ts';
import {SYN_PORT, SYN_REST} from './syn.ts';

/**
 * An agent is a second process of this program, inside a network namespace of our own, where it sends
 * packets and answers them. It reads requests as JSON lines and prints its responses as JSON lines.
 */
export const OPERATIONS = {
	sweep,
	serveEcho,
	requestEcho,
	receiveDatagram,
	runHelperServer,
	runHelperClient,
} as const;

export type Operations = typeof OPERATIONS;

export type Request = {
	readonly id: number;
	readonly operation: keyof Operations;
	readonly args: unknown;
};
export type Response = {readonly id: number; readonly result?: unknown; readonly error?: string};

/** Serves requests until its input ends. */
export async function serveAgent(): Promise<void> {
	for await (const line of createInterface({input: process.stdin})) {
		const request = JSON.parse(line) as Request;
		void perform(request).then(
			(result) => reply({id: request.id, result}),
			(error: Error) => reply({id: request.id, error: error.message}),
		);
	}

	process.exit(0);
}

/** Servers run until the agent ends. A second request for the same server starts no other one. */
const SERVERS: ReadonlySet<keyof Operations> = new Set(['serveEcho', 'runHelperServer']);
const started = new Map<string, Promise<unknown>>();

async function perform({operation: name, args}: Request): Promise<unknown> {
	const operation = OPERATIONS[name] as (args: unknown) => Promise<unknown>;
	if (!SERVERS.has(name)) {
		return operation(args);
	}

	const key = JSON.stringify([name, args]);
	const server = started.get(key) ?? operation(args);
	started.set(key, server);
	return server;
}

function reply(response: Response): void {
	process.stdout.write(`${JSON.stringify(response)}\n`);
}

export type Sweep = {
	/**
	 * `syn` is TCP too, by datagrams that the kernel of this namespace turns into SYNs (syn.ts). It makes
	 * SCTP in the same way, and other protocols, whose numbers are given as ports (protocol-packets.ts).
	 */
	readonly protocol: 'syn' | 'tcp' | 'udp' | 'sctp' | 'other';
	readonly source: string;
	readonly target: string;
	readonly ports: readonly PortRange[];
};

/** Sends one packet to each port and waits for no answer: the target's kernel counts the packets that pass. */
async function sweep({protocol, ports, source, target}: Sweep): Promise<void> {
	switch (protocol) {
		case 'tcp':
			return sweepTcp(portsOf(ports), source, target);
		case 'udp':
			return sendDatagrams(portsOf(ports), () => Buffer.alloc(1), source, 0, target);
		case 'syn':
			return sendDatagrams(portsOf(ports), () => SYN_REST, source, SYN_PORT, target);
		case 'sctp':
			return sendDatagrams(
				portsOf(ports),
				(port) => sctpInit(SCTP_PORT, port).subarray(UDP_HEADER),
				source,
				SCTP_PORT,
				target,
			);
		case 'other':
			return sendDatagrams(portsOf(ports), () => Buffer.alloc(16), source, PROTOCOL_PORT, target);
	}
}

/** Bytes. */
const UDP_HEADER = 8;

async function sendDatagrams(
	ports: Iterable<number>,
	dataFor: (port: number) => Buffer,
	source: string,
	sourcePort: number,
	target: string,
): Promise<void> {
	const family = target.includes(':') ? 6 : 4;
	const socket = dgram.createSocket({
		type: `udp${family}`,
		// The target is an address, so that a lookup would do nothing, 65,535 times.
		lookup: (address, _, callback) => callback(null, address, family),
	});
	socket.on('error', () => {});
	await new Promise<void>((resolve) => socket.bind(sourcePort, source, resolve));
	if (family === 4) {
		// A group is reached through each interface. In IPv6 the target names it.
		socket.setMulticastInterface(source);
	}

	let unsent = 0;
	for (const port of ports) {
		unsent += 1;
		const datagram = dataFor(port);
		// The error may belong to an earlier port (an ICMP error), and then this datagram was not sent.
		const send = (tries: number) =>
			socket.send(datagram, port, target, (error) => {
				if (error && tries > 0) {
					send(tries - 1);
				} else {
					unsent -= 1;
				}
			});
		send(3);
		if (port % 256 === 0) {
			await yieldToEventLoop();
		}
	}

	while (unsent > 0) {
		await yieldToEventLoop();
	}

	await new Promise<void>((resolve) => socket.close(resolve));
}

async function sweepTcp(ports: Iterable<number>, source: string, target: string): Promise<void> {
	for (const port of ports) {
		const socket = net.connect({host: target, port, localAddress: source});
		socket.on('error', () => {});
		// By then the SYN has left. No answer is needed.
		setImmediate(() => socket.destroy());
		if (port % 64 === 0) {
			await yieldToEventLoop();
		}
	}

	await yieldToEventLoop();
}

function* portsOf(ranges: readonly PortRange[]): Iterable<number> {
	for (const {first, last} of ranges) {
		for (let port = first; port <= last; port += 1) {
			yield port;
		}
	}
}

export type EchoServer = {
	readonly protocol: 'tcp' | 'udp';
	readonly address: string;
	readonly port: number;
};

/** Sends back whatever arrives at a port, until the agent ends. */
async function serveEcho({protocol, address, port}: EchoServer): Promise<void> {
	if (protocol === 'udp') {
		const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
		socket.on('error', () => {});
		socket.on('message', (message, from) => socket.send(message, from.port, from.address));
		await new Promise<void>((resolve) => socket.bind(port, address, resolve));
		return;
	}

	const server = net.createServer((socket) => {
		socket.on('error', () => {}).pipe(socket);
	});
	await new Promise<void>((resolve, reject) => {
		server.on('error', reject).listen(port, address, resolve);
	});
}

export type EchoRequest = {
	readonly protocol: 'tcp' | 'udp';
	readonly source?: string;
	/** Default: any. */
	readonly sourcePort?: number;
	readonly target: string;
	readonly port: number;
	/** How many bytes are sent, and must be echoed. Default 1. */
	readonly bytes?: number;
	/** Milliseconds. */
	readonly timeout: number;
};

/** What a client sees: an echo, a time-out, or the code of the error (`ECONNREFUSED`); and after how long. */
export type Answer = {readonly outcome: 'echo' | 'timeout' | string; readonly milliseconds: number};

/** Sends something and waits for its echo. */
async function requestEcho(args: EchoRequest): Promise<Answer> {
	const begin = performance.now();
	const stop = new AbortController();
	const outcome = await Promise.race([
		(args.protocol === 'tcp' ? requestEchoTcp : requestEchoUdp)(args, stop.signal),
		delay(args.timeout, 'timeout'),
	]);
	stop.abort();
	return {outcome, milliseconds: Math.round(performance.now() - begin)};
}

async function requestEchoTcp(
	{source, target, port, bytes = 1}: EchoRequest,
	signal: AbortSignal,
): Promise<string> {
	return new Promise((resolve) => {
		const socket = net.connect({host: target, port, ...(source ? {localAddress: source} : {})});
		signal.addEventListener('abort', () => socket.destroy());
		let received = 0;
		socket.on('connect', () => socket.write(Buffer.alloc(bytes)));
		socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
		socket.on('data', (data) => {
			received += data.length;
			if (received >= bytes) {
				resolve('echo');
			}
		});
	});
}

async function requestEchoUdp(
	{source, sourcePort = 0, target, port, bytes = 1}: EchoRequest,
	signal: AbortSignal,
): Promise<string> {
	return new Promise((resolve) => {
		const socket = dgram.createSocket(target.includes(':') ? 'udp6' : 'udp4');
		signal.addEventListener('abort', () => socket.close());
		socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
		socket.on('message', () => resolve('echo'));
		// Only a connected socket reports ICMP errors (udp(7)).
		socket.bind(sourcePort, source, () =>
			socket.connect(port, target, () => socket.send(Buffer.alloc(bytes))),
		);
	});
}

export type DatagramReceiver = {
	readonly address: string;
	readonly port: number;
	/** Milliseconds. */
	readonly timeout: number;
};

/** Waits for a datagram, as a DHCP client does. @returns whether one arrived */
async function receiveDatagram({address, port, timeout}: DatagramReceiver): Promise<boolean> {
	const socket = dgram.createSocket({
		type: address.includes(':') ? 'udp6' : 'udp4',
		reuseAddr: true,
	});
	try {
		return await Promise.race([
			new Promise<boolean>((resolve) => {
				socket.on('error', () => resolve(false)).on('message', () => resolve(true));
				socket.bind(port, address);
			}),
			delay(timeout, false),
		]);
	} finally {
		socket.close();
	}
}
