import {interfaceOf} from '../machine/interfaces.ts';
import {connectionKey, inboundOf, isLoopback, readTcpSockets, type TcpSocket} from './proc-net.ts';
import {
	allProcesses,
	commandNameOf,
	controlGroupsOf,
	holdersOf,
	link,
	parentOf,
	processesNamed,
	runsFileOfRoot,
	socketsOf,
	titleOf,
} from './processes.ts';
import {parseControlGroups} from './units.ts';

/** A connection to this machine, and the processes that hold it. */
export type Login = {readonly connection: TcpSocket; readonly holders: readonly number[]};

const SSH_SERVERS = ['sshd', 'sshd-session', 'dropbear', 'tinysshd'];

/**
 * Logins that were not there before: connections to an SSH server, past authentication.
 * @param before names the connections from before
 * @throws {HostError} where they cannot be read just now
 */
export function findLogins(before: ReadonlySet<string>): readonly Login[] {
	const sockets = readTcpSockets();
	const added = inboundOf(sockets).filter((socket) => !before.has(connectionKey(socket)));
	const servers = added.length === 0 ? [] : processesNamed(SSH_SERVERS);
	const held = servers.map((pid) => ({pid, inodes: socketsOf(pid)}));
	// A process that listens on the port by itself is no login at it: `ssh -R` forwards it.
	const listensAt = ({localPort}: TcpSocket, inodes: ReadonlySet<string>) =>
		sockets.some(
			({state, localPort: port, inode}) =>
				state === 'listening' && port === localPort && inodes.has(inode),
		);
	return added
		.map((connection) => ({
			connection,
			holders: held
				.filter(({inodes}) => inodes.has(connection.inode) && !listensAt(connection, inodes))
				.map(({pid}) => pid),
		}))
		.filter(({holders}) => holders.some(isPastAuthentication));
}

/** A connection with the processes that hold it. */
export async function asLogin(connection: TcpSocket): Promise<Login> {
	const holders = await holdersOf(new Set([connection.inode]));
	return {connection, holders: holders.get(connection.inode) ?? []};
}

/** Whether an address is one of this machine's own, whose packets every rule set lets in. */
export function isOwnAddress(address: string): boolean {
	return isLoopback(address) || interfaceOf(address) !== undefined;
}

/** Where SSH servers listen, or are connected where another program listens for them (inetd). */
export function sshPorts(): readonly number[] {
	return portsOf(processesNamed(SSH_SERVERS));
}

/**
 * Where a login over SSH may be possible: the usual port, those of SSH servers, and those of systemd's socket
 * units, which start a server when somebody connects.
 */
export function possibleSshPorts(): readonly number[] {
	return [SSH_PORT, ...sshPorts(), ...(commandNameOf(1) === 'systemd' ? portsOf([1]) : [])];
}

const SSH_PORT = 22;

/** The ports with a listening socket at which processes have a socket. */
function portsOf(pids: readonly number[]): readonly number[] {
	const inodes = new Set(pids.flatMap((pid) => [...socketsOf(pid)]));
	const sockets = readTcpSockets();
	const listening = sockets.filter(({state}) => state === 'listening');
	const ports = [...listening, ...inboundOf(sockets)]
		.filter(({inode}) => inodes.has(inode))
		.map(({localPort}) => localPort);
	return [...new Set(ports)];
}

/**
 * Whose server has accepted a connection: root's, where root listens on the port, has accepted the
 * connection, and only root can have written the program that serves it. `none`: the connection is
 * open, and nobody listens on its port any more.
 */
export function serverOf({
	connection,
	holders,
}: Login): 'root' | 'other user' | 'container' | 'none' | 'unknown' {
	const listeners = readTcpSockets().filter(
		({state, localPort, localAddress}) =>
			state === 'listening' &&
			localPort === connection.localPort &&
			['0.0.0.0', '::', connection.localAddress].includes(localAddress),
	);
	if (listeners.length === 0) {
		return 'none';
	}

	if (connection.uid !== 0 || listeners.some(({uid}) => uid !== 0)) {
		return 'other user';
	}

	const programs = holders.map((pid) => ({pid, isRoots: runsFileOfRoot(pid)}));
	if (programs.every(({isRoots}) => isRoots === undefined)) {
		return 'unknown';
	}

	if (holders.some(isInContainer)) {
		return 'container';
	}

	return programs.some(({isRoots}) => isRoots) ? 'root' : 'other user';
}

/** Whether a process runs in a container that this program is not in. */
function isInContainer(pid: number): boolean {
	const containerOf = (groups: string) => parseControlGroups(groups).container;
	return (
		link(`/proc/${pid}/ns/pid`) !== link('/proc/self/ns/pid') ||
		containerOf(controlGroupsOf(pid)) !== containerOf(controlGroupsOf(process.pid))
	);
}

/**
 * Whether a server's process has let its client in. OpenSSH says so in its title (`sshd: user@pts/0`,
 * `user@notty`); another server by having started another program for it: the shell.
 */
function isPastAuthentication(pid: number): boolean {
	if (commandNameOf(pid).startsWith('sshd')) {
		return /^sshd[\w-]*: .+@(?:pts\/|tty|notty|internal-sftp)[^\]]*$/.test(titleOf(pid));
	}

	const program = link(`/proc/${pid}/exe`);
	return allProcesses().some(
		(child) => parentOf(child) === pid && link(`/proc/${child}/exe`) !== program,
	);
}
