import {once} from 'node:events';
import net from 'node:net';
import {type Dialogue, type End, openPort, reach} from './line.ts';

/**
 * FTP (RFC 959, RFC 2428): PORT and EPRT, where the server opens the data connection, or PASV and
 * EPSV, where the client does; then RETR.
 */
export const ftp: Dialogue = {
	async answer(line, {called}) {
		let open: (() => Promise<net.Socket>) | undefined;
		line.say('220 ready\r\n');
		for (;;) {
			const [command = '', text = ''] = `${await line.hear()}`.trim().split(' ');
			switch (command) {
				case 'PORT':
				case 'EPRT': {
					const end = command === 'PORT' ? readEnd(text) : readExtendedEnd(text);
					open = async () => reach(called, end);
					line.say('200 understood\r\n');
					break;
				}

				case 'PASV':
				case 'EPSV': {
					const {port, arrival} = await openPort(called);
					open = async () => arrival;
					line.say(
						command === 'PASV'
							? `227 Entering Passive Mode (${printEnd(called, port)})\r\n`
							: `229 Entering Extended Passive Mode (|||${port}|)\r\n`,
					);
					break;
				}

				case 'RETR':
					line.say('150 coming\r\n');
					(await open?.())?.end('a file');
					break;

				default:
					line.say('230 fine\r\n');
			}
		}
	},
	async ask(line, {caller, called, towards}) {
		const command = async (text: string) => {
			line.say(`${text}\r\n`);
			return `${await line.hear()}`;
		};
		await line.hear();
		// The kernel's helper reads only what follows a line end that it has seen (find_nl_seq).
		await command('USER anonymous');
		await command('PASS fw-wizard');
		let arrival: Promise<net.Socket>;
		if (towards === 'caller') {
			const offer = await openPort(caller);
			arrival = offer.arrival;
			await command(
				net.isIPv6(caller)
					? `EPRT |2|${caller}|${offer.port}|`
					: `PORT ${printEnd(caller, offer.port)}`,
			);
		} else {
			const answer = await command(net.isIPv6(called) ? 'EPSV' : 'PASV');
			const port = net.isIPv6(called)
				? Number(/\|\|\|(\d+)\|/.exec(answer)?.[1])
				: readEnd(/\(([\d,]+)\)/.exec(answer)?.[1] ?? '').port;
			arrival = reach(caller, {address: called, port});
		}

		line.say('RETR file\r\n');
		await once(await arrival, 'data');
	},
};

function printEnd(address: string, port: number): string {
	return [...address.split('.'), port >> 8, port & 255].join(',');
}

function readEnd(text: string): End {
	const numbers = text.split(',').map(Number);
	return {
		address: numbers.slice(0, 4).join('.'),
		port: (numbers[4] ?? 0) * 256 + (numbers[5] ?? 0),
	};
}

function readExtendedEnd(text: string): End {
	const [, , address = '', port = ''] = text.split('|');
	return {address, port: Number(port)};
}
