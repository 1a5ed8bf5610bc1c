import {once} from 'node:events';
import {CALLS, DATA} from '../gre.ts';
import {type Dialogue, type Line, openDatagrams, sendOne} from './line.ts';

/** Control messages (RFC 2637, 2): their numbers and lengths. */
const START_REQUEST = {number: 1, length: 156};
const START_REPLY = {number: 2, length: 156};
const ECHO_REQUEST = {number: 5, length: 16};
const CALL_REQUEST = {number: 7, length: 168};
const CALL_REPLY = {number: 8, length: 32};

/**
 * PPTP (RFC 2637): a call, whose data comes as GRE packets that bear its number. The stranger sends
 * one; where that is the caller, the called says over the control connection that it came.
 */
export const pptp: Dialogue = {
	async answer(line, {caller, called, towards}) {
		const call = CALLS[towards];
		const reply = message(CALL_REPLY, call, call, 0x0100);
		await line.hear();
		line.say(message(START_REPLY, 0x0100, 0x0100));
		await line.hear();
		if (towards === 'caller') {
			line.say(reply);
			await sendOne({address: called, port: 0}, {address: caller, port: call}, DATA);
		} else {
			const {arrival} = await openTunnel(called, call, line);
			line.say(reply);
			await arrival;
			line.say(message(ECHO_REQUEST));
		}
	},
	async ask(line, {caller, called, towards}) {
		const call = CALLS[towards];
		line.say(message(START_REQUEST, 0x0100));
		await line.hear();
		const tunnel = towards === 'caller' ? await openTunnel(caller, call, line) : undefined;
		line.say(message(CALL_REQUEST, call));
		await line.hear();
		if (tunnel) {
			await tunnel.arrival;
		} else {
			await sendOne({address: caller, port: 0}, {address: called, port: call}, DATA);
			await line.hear();
		}
	},
};

/** Where the data of a call arrives, as long as its line lasts. */
async function openTunnel(
	address: string,
	port: number,
	{ended}: Line,
): Promise<{readonly arrival: Promise<unknown>}> {
	const socket = await openDatagrams({address, port});
	void ended.then(() => socket.close());
	return {arrival: once(socket, 'message')};
}

/** @param fields the first ones behind the head, two bytes each; the rest is 0 */
function message(
	{number, length}: {readonly number: number; readonly length: number},
	...fields: readonly number[]
): Buffer {
	const bytes = Buffer.alloc(length);
	bytes.writeUInt16BE(length, 0);
	bytes.writeUInt16BE(1, 2);
	bytes.writeUInt32BE(0x1a2b3c4d, 4);
	for (const [index, value] of [number, 0, ...fields].entries()) {
		bytes.writeUInt16BE(value, 8 + 2 * index);
	}

	return bytes;
}
