import {once} from 'node:events';
import net from 'node:net';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';

const DATA = 'fw-wizard';

export type FtpServer = {readonly address: string; readonly port: number};

/**
 * As much of an FTP server (RFC 959, RFC 2428) as a helper looks at: PORT and EPRT, PASV and EPSV,
 * and RETR, which sends a few bytes over the data connection. Stays until the agent ends.
 */
export async function serveFtp({address, port}: FtpServer): Promise<void> {
	const server = net.createServer((control) => {
		void converse(control, address).catch(() => control.destroy());
	});
	await new Promise<void>((resolve, reject) => {
		server.on('error', reject).listen(port, address, resolve);
	});
}

async function converse(control: net.Socket, address: string): Promise<void> {
	control.on('error', () => {});
	const say = (text: string) => control.write(`${text}\r\n`);
	let open: (() => Promise<net.Socket>) | undefined;
	say('220 ready');
	for await (const line of createInterface({input: control})) {
		const [command = '', text = ''] = line.trim().split(' ');
		switch (command.toUpperCase()) {
			case 'PORT':
			case 'EPRT': {
				const end = command === 'PORT' ? readPort(text) : readExtendedPort(text);
				open = async () => net.connect({...end, localAddress: address});
				say('200 understood');
				break;
			}

			case 'PASV':
			case 'EPSV': {
				const listener = net.createServer().listen(0, address);
				await once(listener, 'listening');
				const {port} = listener.address() as net.AddressInfo;
				const arrival = once(listener, 'connection');
				open = async () => {
					const [socket] = (await arrival) as [net.Socket];
					listener.close();
					return socket;
				};
				say(
					command === 'PASV'
						? `227 Entering Passive Mode (${printPort(address, port)})`
						: `229 Entering Extended Passive Mode (|||${port}|)`,
				);
				break;
			}

			case 'RETR': {
				say('150 coming');
				const data = await open?.();
				data?.on('error', () => {}).end(DATA);
				say('226 done');
				break;
			}

			default:
				say('230 fine');
		}
	}
}

export type FtpFetch = {
	readonly mode: 'active' | 'passive';
	readonly source: string;
	readonly target: string;
	readonly port: number;
	readonly timeout: number;
};

/** Fetches a file over FTP. @returns whether its bytes came over the data connection */
export async function fetchFtp(fetch: FtpFetch): Promise<boolean> {
	const control = net.connect({
		...{host: fetch.target, port: fetch.port, localAddress: fetch.source},
	});
	try {
		return await Promise.race([download(fetch, control), delay(fetch.timeout, false)]);
	} finally {
		control.destroy();
	}
}

async function download({mode, source, target}: FtpFetch, control: net.Socket): Promise<boolean> {
	control.on('error', () => {});
	const lines = createInterface({input: control})[Symbol.asyncIterator]();
	const hear = async () => String((await lines.next()).value ?? '');
	const command = async (text: string) => {
		control.write(`${text}\r\n`);
		return hear();
	};
	try {
		await hear();
		// The kernel's helper reads only what follows a line end that it has seen (find_nl_seq).
		await command('USER anonymous');
		await command('PASS fw-wizard');
		const end = await (mode === 'active' ? offer(source, command) : enter(source, target, command));
		const received = readAll(end.arrival);
		const gone = once(control, 'close').then(() => '');
		await command('RETR file');
		return (await Promise.race([received, gone])) === DATA;
	} catch {
		return false;
	}
}

type Command = (text: string) => Promise<string>;

/** The data connection, which opens only after RETR. */
type DataEnd = {readonly arrival: Promise<net.Socket>};

async function readAll(arrival: Promise<net.Socket>): Promise<string> {
	try {
		const socket = await arrival;
		const [data] = await once(socket, 'data');
		socket.destroy();
		return String(data);
	} catch {
		return '';
	}
}

/** Active: the server is told where to connect to. */
async function offer(source: string, command: Command): Promise<DataEnd> {
	const listener = net.createServer().listen(0, source);
	listener.unref();
	await once(listener, 'listening');
	const {port} = listener.address() as net.AddressInfo;
	const arrival = once(listener, 'connection').then(([socket]) => socket as net.Socket);
	await command(
		net.isIPv6(source) ? `EPRT |2|${source}|${port}|` : `PORT ${printPort(source, port)}`,
	);
	return {arrival};
}

/** Passive: the client connects to where the server says. */
async function enter(source: string, target: string, command: Command): Promise<DataEnd> {
	const answer = await command(net.isIPv6(target) ? 'EPSV' : 'PASV');
	const port = net.isIPv6(target)
		? Number(/\|\|\|(\d+)\|/.exec(answer)?.[1])
		: readPort(/\(([\d,]+)\)/.exec(answer)?.[1] ?? '').port;
	const socket = net.connect({host: target, port, localAddress: source});
	return {arrival: once(socket, 'connect').then(() => socket)};
}

function printPort(address: string, port: number): string {
	return [...address.split('.'), port >> 8, port & 255].join(',');
}

function readPort(text: string): {host: string; port: number} {
	const numbers = text.split(',').map(Number);
	return {
		host: numbers.slice(0, 4).join('.'),
		port: (numbers[4] ?? 0) * 256 + (numbers[5] ?? 0),
	};
}

function readExtendedPort(text: string): {host: string; port: number} {
	const [, , host = '', port = ''] = text.split('|');
	return {host, port: Number(port)};
}
