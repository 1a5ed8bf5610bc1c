import dgram from 'node:dgram';
import {EventEmitter, on, once} from 'node:events';
import net from 'node:net';
import type {Protocol} from '../../policy/services.ts';

/** A dialogue as both of its ends know it before it begins. */
export type Part = {
	/** Addresses. */
	readonly caller: string;
	readonly called: string;
	/** Where the call goes to, when not to the called alone: a broadcast address. */
	readonly group?: string;
	readonly transport: Protocol;
	readonly port: number;
	/** Which end what the helper is for comes in to: the machine under proof is there. */
	readonly towards: 'caller' | 'called';
};

/** A small dialogue of a protocol: as much of it as the kernel's helper looks at. */
export type Dialogue = {
	/** The called end. */
	readonly answer: (line: Line, part: Part) => Promise<unknown>;
	/** The caller. Resolves when what the helper is for has come in, at whichever end. */
	readonly ask: (line: Line, part: Part) => Promise<unknown>;
};

export type End = {readonly address: string; readonly port: number};

/** A connection, or the datagrams to and from one end: what is said arrives whole, it is that short. */
export type Line = {
	readonly say: (data: string | Uint8Array) => void;
	/** What the other end says next. @throws {Error} when the line ends before */
	readonly hear: () => Promise<Buffer>;
	/** Resolves when a connection ends; datagrams have no end. */
	readonly ended: Promise<unknown>;
	readonly peer: End;
	readonly close: () => void;
};

/** Calls. */
export async function dial(part: Part): Promise<Line> {
	const {transport, caller, called, group = called, port} = part;
	if (transport === 'tcp') {
		return lineOver(await reach(caller, {address: called, port}));
	}

	const socket = await openDatagrams({address: caller, port: 0});
	socket.setBroadcast(group !== called);
	return lineAmong(socket, socket, 'message', {address: group, port});
}

/** Answers each call. What fails ends its line, for which the caller need not wait. */
export async function takeCalls(
	{transport, called, group = called, port}: Part,
	answer: (line: Line) => Promise<unknown>,
): Promise<void> {
	const take = (line: Line) => void answer(line).catch(line.close);
	if (transport === 'tcp') {
		const server = net.createServer((socket) => take(lineOver(socket)));
		await once(server.listen(port, called), 'listening');
		return;
	}

	const socket = await openDatagrams({address: group, port});
	const lines = new Map<string, EventEmitter>();
	socket.on('message', (message, from) => {
		const key = `${from.address} ${from.port}`;
		const known = lines.get(key);
		const source = known ?? new EventEmitter();
		if (!known) {
			lines.set(key, source);
			take(lineAmong(socket, source, 'heard', from));
		}

		source.emit('heard', message);
	});
}

function lineOver(socket: net.Socket): Line {
	socket.on('error', () => {});
	return {
		say: (data) => socket.write(data),
		hear: hearing(socket, 'data'),
		ended: new Promise((resolve) => socket.once('close', resolve)),
		peer: {address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0},
		close: () => socket.destroy(),
	};
}

function lineAmong(socket: dgram.Socket, source: EventEmitter, event: string, peer: End): Line {
	return {
		say: (data) => socket.send(data, peer.port, peer.address),
		hear: hearing(source, event),
		ended: new Promise(() => {}),
		peer,
		close: () => {},
	};
}

/** Nothing is missed that is said before somebody listens. */
function hearing(source: EventEmitter, event: string): () => Promise<Buffer> {
	const heard = on(source, event, {close: ['close']});
	return async () => {
		const {value, done} = await heard.next();
		if (done) {
			throw new Error('the line has ended');
		}

		return value[0];
	};
}

/** Opens a connection. @throws {Error} where it is refused */
export async function reach(localAddress: string, {address: host, port}: End): Promise<net.Socket> {
	const socket = net.connect({host, port, localAddress});
	socket.on('error', () => {});
	await once(socket, 'connect');
	return socket;
}

/** A port of an address to which one connection is to come. */
export async function openPort(
	address: string,
): Promise<{readonly port: number; readonly arrival: Promise<net.Socket>}> {
	const server = net.createServer().listen(0, address);
	await once(server, 'listening');
	const arrival = once(server, 'connection').then(([socket]: net.Socket[]) => {
		server.close();
		return socket?.on('error', () => {}) as net.Socket;
	});
	return {port: (server.address() as net.AddressInfo).port, arrival};
}

/** @param end port 0 is any */
export async function openDatagrams({address, port}: End): Promise<dgram.Socket> {
	const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
	socket.bind(port, address);
	await once(socket, 'listening');
	return socket.on('error', () => {});
}

/** Sends one datagram from an end of its own. */
export async function sendOne(from: End, to: End, data: string | Uint8Array): Promise<void> {
	const socket = await openDatagrams(from);
	await new Promise((resolve) => socket.send(data, to.port, to.address, resolve));
	socket.close();
}
