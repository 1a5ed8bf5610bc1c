import {type Dialogue, sendOne} from './line.ts';

/**
 * NetBIOS name service (RFC 1002) and SNMP (RFC 3417), asked by broadcast: who answers does it from
 * its own address. The helpers read none of the question (nf_conntrack_broadcast.c).
 */
export const broadcast: Dialogue = {
	async answer(line, {called, port}) {
		await line.hear();
		await sendOne({address: called, port}, line.peer, 'here');
	},
	async ask(line) {
		line.say('who is there');
		await line.hear();
	},
};
