import {type Dialogue, openPort, reach} from './line.ts';

/** IRC (RFC 2812) with an offer of a file, DCC SEND, to the address and port in it as plain numbers. */
export const irc: Dialogue = {
	async answer(line, {called}) {
		const [, address, port] = /DCC SEND \S+ (\d+) (\d+)/.exec(`${await line.hear()}`) ?? [];
		await reach(called, {address: printAddress(Number(address)), port: Number(port)});
	},
	async ask(line, {caller}) {
		const {port, arrival} = await openPort(caller);
		line.say(`PRIVMSG friend :\u0001DCC SEND file ${readAddress(caller)} ${port} 6\u0001\r\n`);
		await arrival;
	},
};

function readAddress(address: string): number {
	return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function printAddress(number: number): string {
	return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
