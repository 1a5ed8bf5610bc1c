import process from 'node:process';
import type {AccessPort, RemoteClient} from '../../ruleset/lockout.ts';
import {interfaceOf} from '../machine/interfaces.ts';
import {sshPorts} from './logins.ts';
import {multiplexerClients} from './multiplexer.ts';
import {
	connectionKey,
	inboundOf,
	readTcpSockets,
	readUdpPorts,
	spellAddress,
	type TcpSocket,
} from './proc-net.ts';
import {ancestorsOf, commandNameOf, link, socketsOf, variableOf} from './processes.ts';
import {findTunnel} from './tunnel.ts';

/** How the person at the keyboard reaches this machine. */
export type Session =
	| (RemoteClient & {
			readonly kind: 'remote';
			/**
			 * Its connection, which is open; or why it is not known. `mosh`: the kernel does not show the
			 * client of an unconnected UDP socket. `ended`: the login that opened the terminal is over,
			 * and the terminal is used in another way. `several`: a server holds it among others.
			 */
			readonly connection: TcpSocket | 'mosh' | 'ended' | 'several';
			/** The tunnel that this machine dials, and through which the client comes: no port of it need be open. */
			readonly dialled?: string;
	  })
	/** At the machine's own console. */
	| {readonly kind: 'console'}
	| {readonly kind: 'unknown'};

/** The ports that mosh-server takes by default (mosh-server(1)). */
const MOSH: AccessPort = {protocol: 'udp', first: 60_000, last: 61_000};

/**
 * Finds the session that this process runs in: walks the parents to the first that owns an
 * established TCP connection or mosh's UDP socket. sudo and su only add parents; under tmux and
 * screen, whose servers have none, it walks from their clients. A client that comes through a tunnel
 * needs the ports of that tunnel as well.
 */
export async function findSession(pid = process.pid, sockets = readTcpSockets()): Promise<Session> {
	const session = await findDirect(pid, sockets);
	const client = clientOf(session);
	const tunnel = client === undefined ? undefined : await findTunnel(client);
	if (session.kind !== 'remote' || tunnel === undefined) {
		return session;
	}

	const {name, ports} = tunnel;
	return ports.length === 0
		? {...session, dialled: name}
		: {...session, accessPorts: [...session.accessPorts, ...ports]};
}

/** The same, as if there were no tunnels. */
async function findDirect(pid: number, sockets: readonly TcpSocket[]): Promise<Session> {
	const clients = await multiplexerClients(pid);
	const starts = [pid, ...clients];
	for (const start of starts) {
		const found = walk(start, sockets);
		if (found) {
			return found;
		}
	}

	// Where /proc does not show other users' sockets, sshd's own word. That of a multiplexer's shells
	// is of the login in which it was started.
	const said = [...clients, pid]
		.flatMap(ancestorsOf)
		.map((ancestor) => parseSshConnection(variableOf(ancestor, 'SSH_CONNECTION'), sockets))
		.find((session) => session !== undefined);
	return said ?? {kind: starts.some(isAtConsole) ? 'console' : 'unknown'};
}

/** The address from which the user is connected, where it is known. */
export function clientOf(session: Session): string | undefined {
	return session.kind === 'remote' ? session.client : undefined;
}

/** The open connection of a session, where there is one and it is known. */
export function connectionOf(session: Session): TcpSocket | undefined {
	return session.kind === 'remote' && typeof session.connection === 'object'
		? session.connection
		: undefined;
}

function walk(pid: number, sockets: readonly TcpSocket[]): Session | undefined {
	for (const ancestor of ancestorsOf(pid)) {
		const inodes = socketsOf(ancestor);
		const [connection, ...others] = connectionsOf(inodes, sockets);
		if (connection) {
			return remote(connection, others.length === 0 ? connection : 'several');
		}

		// Its socket is not connected, so the client is not known; a new one begins with SSH.
		if (commandNameOf(ancestor) === 'mosh-server') {
			const port = [...readUdpPorts()].find(([inode]) => inodes.has(inode))?.[1] ?? MOSH.first;
			const usual = MOSH.first <= port && port <= MOSH.last;
			return {
				kind: 'remote',
				accessPorts: [
					usual ? MOSH : {protocol: 'udp', first: port, last: port},
					...sshPorts().map(tcpPort),
				],
				client: undefined,
				inInterface: undefined,
				connection: 'mosh',
			};
		}
	}

	return undefined;
}

/**
 * The connections by which a process may serve a session. Where it has one of its own, as the sshd
 * of a login, those at ports on which it listens by itself are of others: forwarded ones.
 */
function connectionsOf(
	inodes: ReadonlySet<string>,
	sockets: readonly TcpSocket[],
): readonly TcpSocket[] {
	const held = inboundOf(sockets).filter(({inode}) => inodes.has(inode));
	const listening = new Set(
		sockets
			.filter(({state, inode}) => state === 'listening' && inodes.has(inode))
			.map(({localPort}) => localPort),
	);
	const own = held.filter(({localPort}) => !listening.has(localPort));
	return own.length > 0 ? own : held;
}

function remote(
	{
		localAddress,
		localPort,
		remoteAddress,
	}: Pick<TcpSocket, 'localAddress' | 'localPort' | 'remoteAddress'>,
	connection: TcpSocket | 'ended' | 'several',
): Session {
	return {
		kind: 'remote',
		accessPorts: [tcpPort(localPort)],
		client: remoteAddress,
		inInterface: interfaceOf(localAddress),
		connection,
	};
}

function tcpPort(port: number): AccessPort {
	return {protocol: 'tcp', first: port, last: port};
}

/** Reads `CLIENT PORT SERVER PORT` (ssh(1)), and looks whether that connection is still open. */
function parseSshConnection(
	text: string | undefined,
	sockets: readonly TcpSocket[],
): Session | undefined {
	const [client, clientPort, address, port] = text?.split(' ') ?? [];
	if (client === undefined || address === undefined || !/^\d+$/.test(port ?? '')) {
		return undefined;
	}

	try {
		const ends = {
			localAddress: spellAddress(withoutZone(address)),
			localPort: Number(port),
			remoteAddress: spellAddress(withoutZone(client)),
			remotePort: Number(clientPort),
		};
		const open = sockets.find(
			(socket) => socket.state === 'established' && connectionKey(socket) === connectionKey(ends),
		);
		return remote(ends, open ?? 'ended');
	} catch {
		return undefined;
	}
}

/** fe80::1%eth0 → fe80::1 */
function withoutZone(address: string): string {
	return address.split('%')[0] ?? address;
}

/** At a virtual console, a serial line or a hypervisor's console; not a pseudo-terminal. */
function isAtConsole(pid: number): boolean {
	return /^\/dev\/(tty\d|tty[A-Z]|hvc|console|xvc)/.test(link(`/proc/${pid}/fd/0`));
}
