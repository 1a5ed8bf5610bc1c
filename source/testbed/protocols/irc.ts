import {listenOnce, openConnection, type ProtocolEnds} from './channel.ts';

/**
 * IRC (RFC 2812) with the offer of a file, DCC SEND. The offer has the address and the port to
 * connect to as decimal numbers.
 */
export const irc: ProtocolEnds = {
	async serve(channel, {server}) {
		const [, address, port] = /DCC SEND \S+ (\d+) (\d+)/.exec(`${await channel.receive()}`) ?? [];
		await openConnection(server, {address: printAddress(Number(address)), port: Number(port)});
	},
	async request(channel, {client}) {
		const {port, connection} = await listenOnce(client);
		channel.send(`PRIVMSG friend :\u0001DCC SEND file ${readAddress(client)} ${port} 6\u0001\r\n`);
		await connection;
	},
};

function readAddress(address: string): number {
	return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function printAddress(number: number): string {
	return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
