import process from 'node:process';
import {canonicalAddress} from '../../lib/network.ts';
import type {AccessPort, RemoteClient} from '../../ruleset/lockout.ts';
import {run} from '../exec/run.ts';
import {interfaceOf} from '../machine/interfaces.ts';
import {
	connectionKey,
	inboundOf,
	isLoopback,
	readTcpSockets,
	readUdpPorts,
	type TcpSocket,
} from './proc-net.ts';
import {
	ancestorsOf,
	commandNameOf,
	link,
	processesNamed,
	socketsOf,
	terminalsOf,
	titleOf,
	userIdOf,
	variableOf,
} from './processes.ts';

/** How the person at the keyboard reaches this machine. */
export type Session =
	| (RemoteClient & {
			readonly kind: 'remote';
			/** Names the connection; empty where that is not known, as for mosh. */
			readonly key: string;
	  })
	/** At the machine's own console. */
	| {readonly kind: 'console'}
	| {readonly kind: 'unknown'};

/** The ports that mosh-server takes by default (mosh-server(1)). */
const MOSH: AccessPort = {protocol: 'udp', first: 60_000, last: 61_000};

/** A group that nothing belongs to (Debian, and the kernel's overflowgid). */
const NOGROUP = 65_534;

const SSH_SERVERS = ['sshd', 'sshd-session', 'dropbear', 'tinysshd'];

/**
 * Finds the session that this process runs in: walks the parents to the first that owns an
 * established TCP connection or mosh's UDP socket. sudo and su only add parents; under tmux and
 * screen, whose servers have none, it walks from their clients.
 */
export async function findSession(pid = process.pid): Promise<Session> {
	const sockets = inboundOf(readTcpSockets());
	const starts = [pid, ...(await multiplexerClients(pid))];
	for (const start of starts) {
		const found = walk(start, sockets);
		if (found) {
			return found;
		}
	}

	// Where /proc does not show other users' sockets, sshd's own word.
	const said = starts
		.flatMap(ancestorsOf)
		.map((ancestor) => parseSshConnection(variableOf(ancestor, 'SSH_CONNECTION')))
		.find((session) => session !== undefined);
	return said ?? {kind: isConsole() ? 'console' : 'unknown'};
}

/** The address from which the user is connected, where it is known. */
export function clientOf(session: Session): string | undefined {
	return session.kind === 'remote' ? session.client : undefined;
}

/** Names a session, to tell one from another: by its connection, else by its terminal. */
export function identify(session: Session): string {
	return session.kind === 'remote' && session.key !== ''
		? session.key
		: `terminal ${link('/proc/self/fd/0')}`;
}

/** Whether it comes from this machine itself, whose own packets every rule set lets in. */
export function comesFromHere(session: Session): boolean {
	return session.kind === 'remote' && session.client !== undefined && isOwn(session.client);
}

function isOwn(address: string): boolean {
	return isLoopback(address) || interfaceOf(address) !== undefined;
}

/**
 * Logins from outside that were not there before: connections to an SSH server, past authentication.
 * None where they cannot be read just now: the wizard asks again in half a second, and its wait for
 * a confirmation must not end for that.
 */
export function findLogins(
	before: ReadonlySet<string>,
	client: string | undefined,
): readonly string[] {
	try {
		return inboundOf(readTcpSockets())
			.filter((socket) => !before.has(connectionKey(socket)) && !isOwn(socket.remoteAddress))
			.filter((socket) => isLogin(socket, client))
			.map(({remoteAddress}) => remoteAddress);
	} catch {
		return [];
	}
}

/** The connections that others have to this machine now. */
export function currentConnections(): ReadonlySet<string> {
	return new Set(inboundOf(readTcpSockets()).map(connectionKey));
}

function walk(pid: number, sockets: readonly TcpSocket[]): Session | undefined {
	for (const ancestor of ancestorsOf(pid)) {
		const inodes = socketsOf(ancestor);
		const socket = sockets.find(({inode}) => inodes.has(inode));
		if (socket) {
			return {
				kind: 'remote',
				accessPorts: [tcpDoor(socket.localPort)],
				client: socket.remoteAddress,
				inInterface: interfaceOf(socket.localAddress),
				key: connectionKey(socket),
			};
		}

		// Its socket is not connected, so the client is not known; a new one begins with SSH.
		if (commandNameOf(ancestor) === 'mosh-server') {
			const port = [...readUdpPorts()].find(([inode]) => inodes.has(inode))?.[1] ?? MOSH.first;
			const usual = MOSH.first <= port && port <= MOSH.last;
			return {
				kind: 'remote',
				accessPorts: [usual ? MOSH : {protocol: 'udp', first: port, last: port}, ...sshDoors()],
				client: undefined,
				inInterface: undefined,
				key: '',
			};
		}
	}

	return undefined;
}

/** The processes through which somebody looks at the tmux or screen that `pid` runs in. */
async function multiplexerClients(pid: number): Promise<readonly number[]> {
	const chain = ancestorsOf(pid);
	const server = chain.find((ancestor) => commandNameOf(ancestor).startsWith('tmux'));
	if (server !== undefined) {
		const [holder, socket] =
			chain
				.map((ancestor) => [ancestor, variableOf(ancestor, 'TMUX')?.split(',')[0]] as const)
				.find(([, path]) => path !== undefined && path !== '') ?? [];
		const {stdout} = await run(
			...asOwner([server, holder ?? server], 'tmux', [
				...(socket === undefined ? [] : ['-S', socket]),
				...['list-clients', '-F', '#{client_activity} #{client_pid}'],
			]),
		);
		return stdout
			.trim()
			.split('\n')
			.sort()
			.reverse()
			.map((line) => Number(line.split(' ')[1]))
			.filter((client) => client > 0);
	}

	// The server draws on the terminals of its clients, and on nobody else's.
	const screen = chain.findLast((ancestor) => /^screen$/i.test(commandNameOf(ancestor)));
	const shown = screen === undefined ? new Set<string>() : terminalsOf(screen);
	return processesNamed(['screen']).filter(
		(client) => !chain.includes(client) && shown.has(link(`/proc/${client}/fd/0`)),
	);
}

/**
 * A program with the rights of whoever runs the first of these processes that is not ours. A server of
 * tmux makes its client open and write files: root must not be the client of another user's.
 */
function asOwner(
	pids: readonly number[],
	program: string,
	args: readonly string[],
): [program: string, args: readonly string[]] {
	const own = process.geteuid?.();
	const other = pids.map(userIdOf).find((uid) => uid !== own);
	return own !== 0 || other === undefined
		? [program, args]
		: [
				'setpriv',
				[`--reuid=${other}`, `--regid=${NOGROUP}`, '--clear-groups', '--', program, ...args],
			];
}

/**
 * Whether a connection got through authentication. OpenSSH says so in its title (`sshd: user@pts/0`,
 * `user@notty`); of other servers only a connection from the address already in use counts.
 */
function isLogin(socket: TcpSocket, client: string | undefined): boolean {
	const owners = processesNamed(SSH_SERVERS).filter((pid) => socketsOf(pid).has(socket.inode));
	return owners.some((pid) =>
		commandNameOf(pid).startsWith('sshd')
			? /^sshd[\w-]*: .+@(?:pts\/|tty|notty|internal-sftp)[^\]]*$/.test(titleOf(pid))
			: socket.remoteAddress === client,
	);
}

/** Where SSH servers listen. */
function sshDoors(): readonly AccessPort[] {
	const inodes = new Set(processesNamed(SSH_SERVERS).flatMap((pid) => [...socketsOf(pid)]));
	const ports = readTcpSockets()
		.filter(({state, inode}) => state === 'listening' && inodes.has(inode))
		.map(({localPort}) => localPort);
	return [...new Set(ports)].map(tcpDoor);
}

function tcpDoor(port: number): AccessPort {
	return {protocol: 'tcp', first: port, last: port};
}

function parseSshConnection(text: string | undefined): Session | undefined {
	const [client, clientPort, address, port] = text?.split(' ') ?? [];
	if (client === undefined || address === undefined || !/^\d+$/.test(port ?? '')) {
		return undefined;
	}

	try {
		const [near, far] = [withoutZone(address), withoutZone(client)].map(canonicalAddress) as [
			string,
			string,
		];
		return {
			kind: 'remote',
			accessPorts: [tcpDoor(Number(port))],
			client: far,
			inInterface: interfaceOf(near),
			key: `${near} ${port} ${far} ${clientPort}`,
		};
	} catch {
		return undefined;
	}
}

/** fe80::1%eth0 → fe80::1 */
function withoutZone(address: string): string {
	return address.split('%')[0] ?? address;
}

/** A virtual console, a serial line or a hypervisor's console; not a pseudo-terminal. */
function isConsole(): boolean {
	return /^\/dev\/(tty\d|tty[A-Z]|hvc|console|xvc)/.test(link('/proc/self/fd/0'));
}
