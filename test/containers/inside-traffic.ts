import type {ContainerProgram} from '../_helpers/lab/container-host.ts';
import type {Debian} from '../_helpers/lab/debian.ts';
import {serve} from '../_helpers/lab/pair.ts';

/** A service of the client, which containers reach over both families. */
const OUTSIDE_SERVICE = 7001;

/** Prints each address and port, given as `address|port`, that takes a connection. */
const CONNECT = `
const net = require('node:net');
const tries = process.argv.slice(1).map((target) => new Promise((resolve) => {
	const [host, port] = target.split('|');
	const socket = net.connect({host, port: Number(port)});
	socket.setTimeout(1500, () => socket.destroy());
	socket.on('error', () => {}).on('connect', () => { resolve(target); socket.destroy(); }).on('close', () => resolve());
}));
Promise.all(tries).then((found) => console.log(JSON.stringify(found.filter(Boolean))));
`;

/** What a machine and its containers reach: each other, published ports by every way, and hosts outside. */
export async function insideTraffic(
	{host, client, addresses, clients}: Debian,
	program: ContainerProgram,
): Promise<Readonly<Record<string, readonly string[]>>> {
	const server = await serve(client, `tcp:${OUTSIDE_SERVICE}`);
	const [many, both] = [await inspect(host, program, 'many'), await inspect(host, program, 'both')];
	// By names: addresses are given anew when a daemon starts.
	const own = [many, both].flatMap((container, index) =>
		container.addresses.map((address) => [
			`${index === 0 ? 'many' : 'both'} in ${address.replace(/[.:]+[^.:]*$/, '')}`,
			`${address}|80`,
		]),
	);
	const targets: Readonly<Record<string, string>> = Object.fromEntries([
		...clients.map((address) => [address, `${address}|${OUTSIDE_SERVICE}`]),
		...own,
		...['8080', '8088'].flatMap((port) =>
			addresses.map((address) => [`${address} ${port}`, `${address}|${port}`]),
		),
		['loopback', '127.0.0.1|8081'],
	]);
	const from = async (...enter: readonly string[]): Promise<readonly string[]> => {
		const words = [...enter, 'node', '-e', CONNECT, ...Object.values(targets)];
		const reached: readonly string[] = JSON.parse(await host.must('nsenter', words));
		return Object.keys(targets)
			.filter((name) => reached.includes(targets[name] as string))
			.sort();
	};
	const found = {
		host: await from('-t', '1', '-n'),
		many: await from('-t', many.pid, '-n'),
		both: await from('-t', both.pid, '-n'),
	};
	await server.stop();
	return found;
}

/** The number of a container's first process, and its addresses of both families. */
export async function inspect(
	host: Debian['host'],
	program: ContainerProgram,
	name: string,
): Promise<{readonly pid: string; readonly addresses: readonly string[]}> {
	const pid = (await host.must(program, ['inspect', '--format', '{{.State.Pid}}', name])).trim();
	const links = await host.must('nsenter', ['-t', pid, '-n', 'ip', '-j', 'address']);
	const list = JSON.parse(links) as ReadonlyArray<{
		readonly addr_info: ReadonlyArray<{readonly local: string; readonly scope: string}>;
	}>;
	return {
		pid,
		addresses: list
			.flatMap(({addr_info}) => addr_info)
			.filter(({scope}) => scope === 'global')
			.map(({local}) => local),
	};
}
