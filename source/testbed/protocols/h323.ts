import {once} from 'node:events';
import ipaddr from 'ipaddr.js';
import {
	type Endpoint,
	listenOnce,
	openConnection,
	openDatagramSocket,
	type ProtocolEnds,
} from './channel.ts';

/*
 * H.225.0 in the packed encoding of X.691, of version 1, without optional parts. A message begins with
 * bits that name its kind and the parts that it has: below, its first one or two bytes. The rest is in
 * whole bytes:
 */

/** The identifier of the protocol, with its length: itu-t recommendation h 2250 version 1. */
const VERSION = [6, 0, 8, 0x91, 0x4a, 0, 1];
/** An endpoint of no particular kind. */
const ENDPOINT = [0, 0];
/** The number of a request, less one. */
const SEQUENCE = [0, 0];

/** The end of Setup: the client, no controller, the number of the conference, its goal, its type. */
const SETUP_REST = [...ENDPOINT, ...Array.from({length: 16}, () => 1), 0];
/** The end of a registration: the endpoint, its vendor. */
const REGISTRATION_REST = [...ENDPOINT, 0xb5, 0, 0, 0];
/** The answer to a registration: it lists no addresses, and the endpoint's name is one letter. */
const CONFIRMATION = Buffer.from([0x10, 0, ...SEQUENCE, ...VERSION, 0, 0, 0, 0x61]);

/**
 * A transport address: its kind, then the address and the port.
 * @param shift how many bits of its first byte come before the kind
 */
function printEndpoint(address: string, port: number, shift = 0): readonly number[] {
	const bytes = ipaddr.parse(address).toByteArray();
	// The first of the choices is ipAddress, the fourth ip6Address.
	const kind = bytes.length === 4 ? 0 : 0b0011_0000;
	return [kind >> shift, ...bytes, port >> 8, port & 255];
}

/** The address and port at the end of a message. */
function readEndpoint(message: Buffer, address: string): Endpoint {
	return {address, port: message.readUInt16BE(message.length - 2)};
}

/** A Q.931 message in TPKT (RFC 1006): its kind, and the element that holds H.225.0. */
function q931Message(kind: number, body: readonly number[]): Buffer {
	const bytes = [8, 2, 0, 1, kind, 0x7e, 0, body.length + 1, 5, ...body];
	return Buffer.from([3, 0, 0, bytes.length + 4, ...bytes]);
}

/**
 * An H.323 call (H.225.0, 7.3): Setup or its answer, CallProceeding, names the port at which its
 * sender receives H.245.
 */
export const q931: ProtocolEnds = {
	async serve(channel, {client, server, towards}) {
		const setup = await channel.receive();
		if (towards === 'client') {
			await openConnection(server, readEndpoint(setup.subarray(0, -SETUP_REST.length), client));
		} else {
			const {port} = await listenOnce(server);
			channel.send(
				q931Message(0x02, [0x01, 0x40, ...VERSION, 0, ...printEndpoint(server, port, 1)]),
			);
		}
	},
	async request(channel, {client, server, towards}) {
		if (towards === 'client') {
			const {port, connection} = await listenOnce(client);
			const address = printEndpoint(client, port);
			channel.send(q931Message(0x05, [0x00, 0x40, ...VERSION, ...address, ...SETUP_REST]));
			await connection;
		} else {
			channel.send(q931Message(0x05, [0x00, 0x00, ...VERSION, ...SETUP_REST]));
			await openConnection(client, readEndpoint(await channel.receive(), server));
		}
	},
};

/**
 * RAS (H.225.0, 7.9). A client that registers with a gatekeeper names the port at which it receives
 * calls, and the gatekeeper connects to it. A gatekeeper that a client searches for names the port at
 * which it receives registrations.
 */
export const ras: ProtocolEnds = {
	async serve(channel, {client, server, towards}) {
		const request = await channel.receive();
		if (towards === 'client') {
			channel.send(CONFIRMATION);
			const endpoint = readEndpoint(request.subarray(0, -REGISTRATION_REST.length), client);
			await openConnection(server, endpoint);
		} else {
			const registrar = await openDatagramSocket({address: server, port: 0});
			const address = printEndpoint(server, registrar.address().port);
			channel.send(Buffer.from([0x04, 0, ...SEQUENCE, ...VERSION, ...address]));
			const [, from] = await once(registrar, 'message');
			registrar.send(CONFIRMATION, from.port, from.address);
		}
	},
	async request(channel, {client, server, port, towards}) {
		if (towards === 'client') {
			const signalling = await listenOnce(client);
			channel.send(registration(client, signalling.port));
			await signalling.connection;
		} else {
			const address = printEndpoint(client, port);
			channel.send(Buffer.from([0, 0, ...SEQUENCE, ...VERSION, ...address, ...ENDPOINT]));
			const registrar = readEndpoint(await channel.receive(), server);
			const socket = await openDatagramSocket({address: client, port: 0});
			const message = registration(client, socket.address().port);
			socket.send(message, registrar.port, registrar.address);
			await once(socket, 'message');
		}
	},
};

function registration(client: string, port: number): Buffer {
	const address = [1, ...printEndpoint(client, port)];
	return Buffer.from([
		...[0x0c, 0, ...SEQUENCE, ...VERSION, 0],
		// One address for calls, one for RAS.
		...[...address, ...address],
		...REGISTRATION_REST,
	]);
}
