import {once} from 'node:events';
import net from 'node:net';
import {type Endpoint, listenOnce, openConnection, type ProtocolEnds} from './channel.ts';

/**
 * FTP (RFC 959, RFC 2428): PORT and EPRT, after which the server opens the data connection, or PASV
 * and EPSV, after which the client does; then RETR.
 */
export const ftp: ProtocolEnds = {
	async serve(channel, {server}) {
		let open: (() => Promise<net.Socket>) | undefined;
		channel.send('220 ready\r\n');
		for (;;) {
			const [command = '', text = ''] = `${await channel.receive()}`.trim().split(' ');
			switch (command) {
				case 'PORT':
				case 'EPRT': {
					const endpoint = command === 'PORT' ? readEndpoint(text) : readExtendedEndpoint(text);
					open = async () => openConnection(server, endpoint);
					channel.send('200 understood\r\n');
					break;
				}

				case 'PASV':
				case 'EPSV': {
					const {port, connection} = await listenOnce(server);
					open = async () => connection;
					channel.send(
						command === 'PASV'
							? `227 Entering Passive Mode (${printEndpoint(server, port)})\r\n`
							: `229 Entering Extended Passive Mode (|||${port}|)\r\n`,
					);
					break;
				}

				case 'RETR':
					channel.send('150 coming\r\n');
					(await open?.())?.end('a file');
					break;

				default:
					channel.send('230 fine\r\n');
			}
		}
	},
	async request(channel, {client, server, towards}) {
		const command = async (text: string) => {
			channel.send(`${text}\r\n`);
			return `${await channel.receive()}`;
		};
		await channel.receive();
		// The kernel's helper reads only what follows a line end that it has seen (find_nl_seq).
		await command('USER anonymous');
		await command('PASS fw-wizard');
		let connection: Promise<net.Socket>;
		if (towards === 'client') {
			const offer = await listenOnce(client);
			connection = offer.connection;
			await command(
				net.isIPv6(client)
					? `EPRT |2|${client}|${offer.port}|`
					: `PORT ${printEndpoint(client, offer.port)}`,
			);
		} else {
			const answer = await command(net.isIPv6(server) ? 'EPSV' : 'PASV');
			const port = net.isIPv6(server)
				? Number(/\|\|\|(\d+)\|/.exec(answer)?.[1])
				: readEndpoint(/\(([\d,]+)\)/.exec(answer)?.[1] ?? '').port;
			connection = openConnection(client, {address: server, port});
		}

		channel.send('RETR file\r\n');
		await once(await connection, 'data');
	},
};

function printEndpoint(address: string, port: number): string {
	return [...address.split('.'), port >> 8, port & 255].join(',');
}

function readEndpoint(text: string): Endpoint {
	const numbers = text.split(',').map(Number);
	return {
		address: numbers.slice(0, 4).join('.'),
		port: (numbers[4] ?? 0) * 256 + (numbers[5] ?? 0),
	};
}

function readExtendedEndpoint(text: string): Endpoint {
	const [, , address = '', port = ''] = text.split('|');
	return {address, port: Number(port)};
}
