import {type Dialogue, sendOne} from './line.ts';

const READ_REQUEST = '\u0000\u0001file\u0000octet\u0000';
const FIRST_BLOCK = '\u0000\u0003\u0000\u0001x';

/** TFTP (RFC 1350): the answer to a request comes from another port than it went to. */
export const tftp: Dialogue = {
	async answer(line, {called}) {
		await line.hear();
		await sendOne({address: called, port: 0}, line.peer, FIRST_BLOCK);
	},
	async ask(line) {
		line.say(READ_REQUEST);
		await line.hear();
	},
};
