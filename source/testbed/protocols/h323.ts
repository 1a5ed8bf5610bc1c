import {once} from 'node:events';
import ipaddr from 'ipaddr.js';
import {type Dialogue, type End, openDatagrams, openPort, reach} from './line.ts';

/*
 * H.225.0 in the packed encoding of X.691, of version 1, without anything optional. A message begins
 * with bits for its kind and for what it has: they are said at each. Then, on whole bytes:
 */

/** The identifier of the protocol, with its length: itu-t recommendation h 2250 version 1. */
const VERSION = [6, 0, 8, 0x91, 0x4a, 0, 1];
/** An endpoint that is nothing in particular. */
const ENDPOINT = [0, 0];
/** The number of a request, less one. */
const SEQUENCE = [0, 0];

/** The end of Setup: the caller, no controller, the number of the conference, its goal, its type. */
const SETUP_REST = [...ENDPOINT, ...Array.from({length: 16}, () => 1), 0];
/** The end of a registration: the endpoint, its vendor. */
const REGISTRATION_REST = [...ENDPOINT, 0xb5, 0, 0, 0];
/** The answer to it: of no addresses, for an endpoint of one letter. */
const CONFIRMATION = Buffer.from([0x10, 0, ...SEQUENCE, ...VERSION, 0, 0, 0, 0x61]);

/** A transport address whose kind stands in the first bits of a byte, or so many bits later. */
function end(address: string, port: number, later = 0): readonly number[] {
	const bytes = ipaddr.parse(address).toByteArray();
	// Of the choices the first, or the fourth, ip6Address.
	const kind = bytes.length === 4 ? 0 : 0b0011_0000;
	return [kind >> later, ...bytes, port >> 8, port & 255];
}

/** The address and port at the end of a message. */
function readEnd(message: Buffer, address: string): End {
	return {address, port: message.readUInt16BE(message.length - 2)};
}

/** Q.931 in TPKT (RFC 1006): the kind of message, and the element for H.225.0. */
function call(kind: number, body: readonly number[]): Buffer {
	const q931 = [8, 2, 0, 1, kind, 0x7e, 0, body.length + 1, 5, ...body];
	return Buffer.from([3, 0, 0, q931.length + 4, ...q931]);
}

/** A call (H.225.0, 7.3): Setup or the answer to it, CallProceeding, names where its sender takes H.245. */
export const q931: Dialogue = {
	async answer(line, {caller, called, towards}) {
		const setup = await line.hear();
		if (towards === 'caller') {
			await reach(called, readEnd(setup.subarray(0, -SETUP_REST.length), caller));
		} else {
			const {port} = await openPort(called);
			line.say(call(0x02, [0x01, 0x40, ...VERSION, 0, ...end(called, port, 1)]));
		}
	},
	async ask(line, {caller, called, towards}) {
		if (towards === 'caller') {
			const {port, arrival} = await openPort(caller);
			line.say(call(0x05, [0x00, 0x40, ...VERSION, ...end(caller, port), ...SETUP_REST]));
			await arrival;
		} else {
			line.say(call(0x05, [0x00, 0x00, ...VERSION, ...SETUP_REST]));
			await reach(caller, readEnd(await line.hear(), called));
		}
	},
};

/**
 * RAS (H.225.0, 7.9): who registers with a gatekeeper names where it takes calls, and the gatekeeper
 * calls it there; a gatekeeper that is looked for names where it takes registrations.
 */
export const ras: Dialogue = {
	async answer(line, {caller, called, towards}) {
		const request = await line.hear();
		if (towards === 'caller') {
			line.say(CONFIRMATION);
			await reach(called, readEnd(request.subarray(0, -REGISTRATION_REST.length), caller));
		} else {
			const desk = await openDatagrams({address: called, port: 0});
			const {port} = desk.address();
			line.say(Buffer.from([0x04, 0, ...SEQUENCE, ...VERSION, ...end(called, port)]));
			const [, from] = await once(desk, 'message');
			desk.send(CONFIRMATION, from.port, from.address);
		}
	},
	async ask(line, {caller, called, port, towards}) {
		if (towards === 'caller') {
			const signalling = await openPort(caller);
			line.say(registration(caller, signalling.port));
			await signalling.arrival;
		} else {
			line.say(Buffer.from([0, 0, ...SEQUENCE, ...VERSION, ...end(caller, port), ...ENDPOINT]));
			const desk = readEnd(await line.hear(), called);
			const socket = await openDatagrams({address: caller, port: 0});
			socket.send(registration(caller, socket.address().port), desk.port, desk.address);
			await once(socket, 'message');
		}
	},
};

function registration(caller: string, port: number): Buffer {
	const address = [1, ...end(caller, port)];
	return Buffer.from([
		...[0x0c, 0, ...SEQUENCE, ...VERSION, 0],
		// One for calls, one for RAS.
		...[...address, ...address],
		...REGISTRATION_REST,
	]);
}
