import {type ProtocolEnds, sendDatagram} from './channel.ts';

const READ_REQUEST = '\u0000\u0001file\u0000octet\u0000';
const FIRST_BLOCK = '\u0000\u0003\u0000\u0001x';

/** TFTP (RFC 1350): the answer comes from another port than the request was sent to. */
export const tftp: ProtocolEnds = {
	async serve(channel, {server}) {
		await channel.receive();
		await sendDatagram({address: server, port: 0}, channel.peer, FIRST_BLOCK);
	},
	async request(channel) {
		channel.send(READ_REQUEST);
		await channel.receive();
	},
};
