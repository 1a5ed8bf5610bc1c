import {listenOnce, openConnection, type ProtocolEnds} from './channel.ts';

const HEAD = 'HANDLE 000-00000001 SEQ 1';

/** Amanda: the machine that is backed up names the ports at which it serves data and messages. */
export const amanda: ProtocolEnds = {
	async serve(channel, {server}) {
		await channel.receive();
		const [data, messages, index] = await Promise.all(
			[1, 2, 3].map(async () => listenOnce(server)),
		);
		channel.send(
			`Amanda 2.6 REP ${HEAD}\nCONNECT DATA ${data?.port} MESG ${messages?.port} INDEX ${index?.port}\nOPTIONS ;\n`,
		);
	},
	async request(channel, {client, server}) {
		channel.send(`Amanda 2.6 REQ ${HEAD}\nSERVICE sendbackup\n`);
		const ports =
			/CONNECT DATA (\d+) MESG (\d+) INDEX (\d+)\n/.exec(`${await channel.receive()}`) ?? [];
		await Promise.all(
			ports
				.slice(1)
				.map(async (port) => openConnection(client, {address: server, port: Number(port)})),
		);
	},
};
