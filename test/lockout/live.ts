import type {Host} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';
import {loginWords, type SshServer} from '../_helpers/ssh/ssh.ts';
import type {Terminal, Terminals} from '../_helpers/terminal/terminal.ts';

/** The port of a service that no policy of these tests opens. */
export const PORT = 7777;
/** Where the client listens, for the connections that the server makes. */
const PORT_OUT = 9999;

/** Open connections, each with a terminal at the client's end: what is typed there must come back. */
type Sessions = Readonly<Record<`${'ssh' | 'inbound' | 'outbound'} over IPv${4 | 6}`, Terminal>>;

/** Opens one session of each kind, over each family. */
export async function openSessions(server: SshServer, terminals: Terminals): Promise<Sessions> {
	const {host, client} = server;
	await serve(host, `tcp:${PORT}`);
	const start = (words: readonly string[]) => terminals.start(words, {enter: client.enter});
	const ssh = (over: 4 | 6) => start(loginWords(server, 'stty -echo; cat', {terminal: true, over}));
	const inbound = (address: string) => start(['socat', QUIET, `TCP:${address}:${PORT}`]);
	const outbound = async (family: 4 | 6, address: string) => {
		const terminal = start([
			'socat',
			QUIET,
			`TCP${family}-LISTEN:${PORT_OUT},bind=${address},reuseaddr`,
		]);
		await call(host, address);
		return terminal;
	};
	const [ipv4, ipv6] = [server.addresses[0], `[${server.addresses[1]}]`];
	const sessions: Sessions = {
		'ssh over IPv4': ssh(4),
		'ssh over IPv6': ssh(6),
		'inbound over IPv4': inbound(ipv4),
		'inbound over IPv6': inbound(ipv6),
		'outbound over IPv4': await outbound(4, server.clients[0]),
		'outbound over IPv6': await outbound(6, `[${server.clients[1]}]`),
	};
	await speak(sessions, 'hello');
	return sessions;
}

const QUIET = '-,rawer,echo=0';

/** Types a word at each end, and waits until each has come back. */
export async function speak(sessions: Sessions, word: string): Promise<void> {
	for (const terminal of Object.values(sessions)) {
		terminal.type(`${word}\n`);
	}

	for (const [name, terminal] of Object.entries(sessions)) {
		await terminal.waitFor(word).catch((error) => {
			throw new Error(`${name}: ${error.message}`);
		});
	}
}

/** Connects from the server to the client, as soon as that listens, and sends back what comes. */
async function call(host: Host, address: string): Promise<void> {
	const command = `echo ready && exec socat TCP:${address}:${PORT_OUT},forever,interval=0.1 EXEC:cat`;
	await host.start('sh', ['-c', command], /ready/);
}
