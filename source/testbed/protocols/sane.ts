import {listenOnce, openConnection, type ProtocolEnds} from './channel.ts';

/** The words of a request: SANE_NET_START, of the first handle. */
const NET_START = Buffer.from([0, 0, 0, 7, 0, 0, 0, 0]);

/** SANE (its standard, 5.2.9): the answer to NET_START names the port that serves the image. */
export const sane: ProtocolEnds = {
	async serve(channel, {server}) {
		await channel.receive();
		const {port} = await listenOnce(server);
		// The words of a reply: the status Good, the port, the byte order, and no resource.
		const reply = Buffer.alloc(16);
		reply.writeUInt32BE(port, 4);
		reply.writeUInt32BE(0x1234, 8);
		channel.send(reply);
	},
	async request(channel, {client, server}) {
		channel.send(NET_START);
		const reply = await channel.receive();
		await openConnection(client, {address: server, port: reply.readUInt32BE(4)});
	},
};
