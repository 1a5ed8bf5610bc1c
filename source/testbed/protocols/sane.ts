import {type Dialogue, openPort, reach} from './line.ts';

/** The words of a request: SANE_NET_START, of the first handle. */
const NET_START = Buffer.from([0, 0, 0, 7, 0, 0, 0, 0]);

/** SANE (its standard, 5.2.9): the answer to NET_START names the port where the picture is to be had. */
export const sane: Dialogue = {
	async answer(line, {called}) {
		await line.hear();
		const {port} = await openPort(called);
		// Good; the port as a word; the byte order; no resource.
		const reply = Buffer.alloc(16);
		reply.writeUInt32BE(port, 4);
		reply.writeUInt32BE(0x1234, 8);
		line.say(reply);
	},
	async ask(line, {caller, called}) {
		line.say(NET_START);
		const reply = await line.hear();
		await reach(caller, {address: called, port: reply.readUInt32BE(4)});
	},
};
