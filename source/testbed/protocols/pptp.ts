import {once} from 'node:events';
import {CALL_IDS, DATA} from '../gre.ts';
import {type Channel, openDatagramSocket, type ProtocolEnds, sendDatagram} from './channel.ts';

/** Control messages (RFC 2637, 2): their numbers and lengths. */
const START_REQUEST = {number: 1, length: 156};
const START_REPLY = {number: 2, length: 156};
const ECHO_REQUEST = {number: 5, length: 16};
const CALL_REQUEST = {number: 7, length: 168};
const CALL_REPLY = {number: 8, length: 32};

/**
 * PPTP (RFC 2637): a call, whose data is carried by GRE packets that bear the call's number. The end
 * outside of the machine under proof sends one packet. Where that end is the client, the server
 * reports the packet's arrival over the control connection.
 */
export const pptp: ProtocolEnds = {
	async serve(channel, {client, server, towards}) {
		const call = CALL_IDS[towards];
		const reply = message(CALL_REPLY, call, call, 0x0100);
		await channel.receive();
		channel.send(message(START_REPLY, 0x0100, 0x0100));
		await channel.receive();
		if (towards === 'client') {
			channel.send(reply);
			await sendDatagram({address: server, port: 0}, {address: client, port: call}, DATA);
		} else {
			const {arrival} = await openTunnel(server, call, channel);
			channel.send(reply);
			await arrival;
			channel.send(message(ECHO_REQUEST));
		}
	},
	async request(channel, {client, server, towards}) {
		const call = CALL_IDS[towards];
		channel.send(message(START_REQUEST, 0x0100));
		await channel.receive();
		const tunnel = towards === 'client' ? await openTunnel(client, call, channel) : undefined;
		channel.send(message(CALL_REQUEST, call));
		await channel.receive();
		if (tunnel) {
			await tunnel.arrival;
		} else {
			await sendDatagram({address: client, port: 0}, {address: server, port: call}, DATA);
			await channel.receive();
		}
	},
};

/** Opens the socket at which the data of a call arrives, for as long as its control connection lasts. */
async function openTunnel(
	address: string,
	port: number,
	{closed}: Channel,
): Promise<{readonly arrival: Promise<unknown>}> {
	const socket = await openDatagramSocket({address, port});
	void closed.then(() => socket.close());
	return {arrival: once(socket, 'message')};
}

/** @param fields the first fields after the message's head, two bytes each; the rest of it is 0 */
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
