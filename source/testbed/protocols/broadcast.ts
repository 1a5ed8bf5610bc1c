import {type ProtocolEnds, sendDatagram} from './channel.ts';

/**
 * NetBIOS name service (RFC 1002) and SNMP (RFC 3417): the question is broadcast, and each answer
 * comes from its sender's own address. The helpers read nothing of the question
 * (nf_conntrack_broadcast.c).
 */
export const broadcast: ProtocolEnds = {
	async serve(channel, {server, port}) {
		await channel.receive();
		await sendDatagram({address: server, port}, channel.peer, 'here');
	},
	async request(channel) {
		channel.send('who is there');
		await channel.receive();
	},
};
