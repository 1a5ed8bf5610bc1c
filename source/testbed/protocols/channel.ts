import dgram from 'node:dgram';
import {EventEmitter, on, once} from 'node:events';
import net from 'node:net';
import type {Protocol} from '../../policy/services.ts';

/** One exchange between a client and a server, as both of its ends know it before it begins. */
export type Exchange = {
	/** Addresses. */
	readonly client: string;
	readonly server: string;
	/** The broadcast address that the client sends to. Absent: it sends to the server's own address. */
	readonly group?: string;
	readonly transport: Protocol;
	readonly port: number;
	/**
	 * The end that receives the connection or packet which the helper is for. The machine under proof
	 * is that end.
	 */
	readonly towards: 'client' | 'server';
};

/** Both ends of a protocol, as much of it as the kernel's helper reads. */
export type ProtocolEnds = {
	readonly serve: (channel: Channel, exchange: Exchange) => Promise<unknown>;
	/** Resolves when what the helper is for has arrived, at whichever end. */
	readonly request: (channel: Channel, exchange: Exchange) => Promise<unknown>;
};

export type Endpoint = {readonly address: string; readonly port: number};

/**
 * A TCP connection, or the datagrams to and from one endpoint. Messages are so short that each
 * arrives in one piece.
 */
export type Channel = {
	readonly send: (data: string | Uint8Array) => void;
	/** The next message of the other end. @throws {Error} when the channel closes before it arrives */
	readonly receive: () => Promise<Buffer>;
	/** Resolves when a connection ends; datagrams have no end. */
	readonly closed: Promise<unknown>;
	readonly peer: Endpoint;
	readonly close: () => void;
};

/** Opens the client's end of an exchange. @throws {Error} where a connection is refused */
export async function connect(exchange: Exchange): Promise<Channel> {
	const {transport, client, server, group = server, port} = exchange;
	if (transport === 'tcp') {
		return channelOverTcp(await openConnection(client, {address: server, port}));
	}

	const socket = await openDatagramSocket({address: client, port: 0});
	socket.setBroadcast(group !== server);
	return channelOverUdp(socket, socket, 'message', {address: group, port});
}

/**
 * Opens the server's end of an exchange, for any number of clients. A failure closes that client's
 * channel, so that it does not wait for its time-out.
 */
export async function serve(
	{transport, server: address, group = address, port}: Exchange,
	answer: (channel: Channel) => Promise<unknown>,
): Promise<void> {
	const accept = (channel: Channel) => void answer(channel).catch(channel.close);
	if (transport === 'tcp') {
		const server = net.createServer((socket) => accept(channelOverTcp(socket)));
		await once(server.listen(port, address), 'listening');
		return;
	}

	const socket = await openDatagramSocket({address: group, port});
	const clients = new Map<string, EventEmitter>();
	socket.on('message', (message, from) => {
		const key = `${from.address} ${from.port}`;
		const known = clients.get(key);
		const messages = known ?? new EventEmitter();
		if (!known) {
			clients.set(key, messages);
			accept(channelOverUdp(socket, messages, 'received', from));
		}

		messages.emit('received', message);
	});
}

function channelOverTcp(socket: net.Socket): Channel {
	socket.on('error', () => {});
	return {
		send: (data) => socket.write(data),
		receive: receiverOf(socket, 'data'),
		closed: new Promise((resolve) => socket.once('close', resolve)),
		peer: {address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0},
		close: () => socket.destroy(),
	};
}

function channelOverUdp(
	socket: dgram.Socket,
	messages: EventEmitter,
	event: string,
	peer: Endpoint,
): Channel {
	return {
		send: (data) => socket.send(data, peer.port, peer.address),
		receive: receiverOf(messages, event),
		closed: new Promise(() => {}),
		peer,
		close: () => {},
	};
}

/** Collects messages from now on, so that none is lost that arrives before the first `receive`. */
function receiverOf(messages: EventEmitter, event: string): () => Promise<Buffer> {
	const received = on(messages, event, {close: ['close']});
	return async () => {
		const {value, done} = await received.next();
		if (done) {
			throw new Error('the channel was closed');
		}

		return value[0];
	};
}

/** Opens a connection. @throws {Error} where it is refused */
export async function openConnection(
	localAddress: string,
	{address: host, port}: Endpoint,
): Promise<net.Socket> {
	const socket = net.connect({host, port, localAddress});
	socket.on('error', () => {});
	await once(socket, 'connect');
	return socket;
}

/** Listens on a free TCP port of an address, for one connection. */
export async function listenOnce(
	address: string,
): Promise<{readonly port: number; readonly connection: Promise<net.Socket>}> {
	const server = net.createServer().listen(0, address);
	await once(server, 'listening');
	const connection = once(server, 'connection').then(([socket]: net.Socket[]) => {
		server.close();
		return socket?.on('error', () => {}) as net.Socket;
	});
	return {port: (server.address() as net.AddressInfo).port, connection};
}

/** @param endpoint port 0 is any free one */
export async function openDatagramSocket({address, port}: Endpoint): Promise<dgram.Socket> {
	const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
	socket.bind(port, address);
	await once(socket, 'listening');
	return socket.on('error', () => {});
}

/** Sends one datagram from a socket of its own. */
export async function sendDatagram(
	from: Endpoint,
	to: Endpoint,
	data: string | Uint8Array,
): Promise<void> {
	const socket = await openDatagramSocket(from);
	await new Promise((resolve) => socket.send(data, to.port, to.address, resolve));
	socket.close();
}
