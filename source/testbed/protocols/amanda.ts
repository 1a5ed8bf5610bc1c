import {type Dialogue, openPort, reach} from './line.ts';

const HEAD = 'HANDLE 000-00000001 SEQ 1';

/** Amanda: the machine that is backed up names the ports at which it hands out data and messages. */
export const amanda: Dialogue = {
	async answer(line, {called}) {
		await line.hear();
		const [data, messages, index] = await Promise.all([1, 2, 3].map(async () => openPort(called)));
		line.say(
			`Amanda 2.6 REP ${HEAD}\nCONNECT DATA ${data?.port} MESG ${messages?.port} INDEX ${index?.port}\nOPTIONS ;\n`,
		);
	},
	async ask(line, {caller, called}) {
		line.say(`Amanda 2.6 REQ ${HEAD}\nSERVICE sendbackup\n`);
		const ports = /CONNECT DATA (\d+) MESG (\d+) INDEX (\d+)\n/.exec(`${await line.hear()}`) ?? [];
		await Promise.all(
			ports.slice(1).map(async (port) => reach(caller, {address: called, port: Number(port)})),
		);
	},
};
