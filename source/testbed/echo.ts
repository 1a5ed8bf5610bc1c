import dgram from 'node:dgram';
import net from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import {bound} from './sweep-ports.ts';

type EchoServer = {
	readonly protocol: 'tcp' | 'udp';
	readonly address: string;
	readonly port: number;
};

/** Sends back whatever arrives at a port, until the agent ends. */
export async function serveEcho({protocol, address, port}: EchoServer): Promise<void> {
	if (protocol === 'udp') {
		const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
		socket.on('message', (message, from) => socket.send(message, from.port, from.address));
		return bound(socket, port, address);
	}

	const server = net.createServer((socket) => {
		socket.on('error', () => {}).pipe(socket);
	});
	await new Promise<void>((resolve, reject) => {
		server.on('error', reject).listen(port, address, resolve);
	});
}

type EchoRequest = {
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
export async function requestEcho(args: EchoRequest): Promise<Answer> {
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

type DatagramReceiver = {
	readonly address: string;
	readonly port: number;
	/** Milliseconds. */
	readonly timeout: number;
};

/** Waits for a datagram, as a DHCP client does. @returns whether one arrived */
export async function receiveDatagram({
	address,
	port,
	timeout,
}: DatagramReceiver): Promise<boolean> {
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
