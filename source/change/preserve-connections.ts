import {findProgram} from '../host/exec/find-program.ts';
import {run} from '../host/exec/run.ts';
import {
	connectionKey,
	isLoopback,
	readTcpSockets,
	type TcpSocket,
} from '../host/sockets/proc-net.ts';

/** How many programs run at once, and for how many milliseconds they are started. */
const PARALLEL = 8;
const TIMEOUT_MS = 5000;
/**
 * As long as conntrack itself keeps an established connection
 * (nf_conntrack_tcp_timeout_established).
 */
const TIMEOUT = 432_000;

/** Whether connections can be told to conntrack here. */
export function canKeepConnections(): boolean {
	return findProgram('conntrack') !== undefined;
}

/**
 * Tells conntrack about the TCP connections that are open now. Where no rule needed conntrack before,
 * it does not know them, and the rules would judge the next packet of each as the first of a new
 * connection: a session whose client speaks first would stall. Known connections stay as they are.
 */
export async function keepConnections(): Promise<void> {
	if (!canKeepConnections()) {
		return;
	}

	const sockets = readTcpSockets();
	const listening = new Set(
		sockets.filter(({state}) => state === 'listening').map(({localPort}) => localPort),
	);
	const open = new Map(
		sockets
			.filter(({state, remoteAddress}) => state === 'established' && !isLoopback(remoteAddress))
			.map((socket) => [connectionKey(socket), socket]),
	);
	const entries = [...open.values()].map((socket) =>
		describeEntry(socket, listening.has(socket.localPort)),
	);
	if (entries.length === 0) {
		return;
	}

	// It adds 20,000 connections in less than a second and skips the known ones.
	const input = entries.map((words) => `-A ${words.join(' ')}\n`).join('');
	const {status} = await run('conntrack', ['-R', '-'], {input});
	if (status !== 0) {
		await insertOneByOne(entries);
	}
}

/** For conntrack before 1.4.7. A busy server has more connections than there is time for. */
async function insertOneByOne(entries: ReadonlyArray<readonly string[]>): Promise<void> {
	const waiting = [...entries];
	const end = performance.now() + TIMEOUT_MS;
	const work = async () => {
		for (let words = waiting.shift(); words && performance.now() < end; words = waiting.shift()) {
			await run('conntrack', ['-I', ...words]);
		}
	};
	await Promise.all(Array.from({length: PARALLEL}, work));
}

/** The arguments of conntrack(8). No --family: 1.4.7 refuses it, and tells it from the addresses. */
function describeEntry(socket: TcpSocket, inbound: boolean): readonly string[] {
	const near = [socket.localAddress, `${socket.localPort}`] as const;
	const far = [socket.remoteAddress, `${socket.remotePort}`] as const;
	const [[source, sourcePort], [destination, destinationPort]] = inbound
		? [far, near]
		: [near, far];
	return [
		...['-p', 'tcp', '-s', source, '-d', destination],
		...['--sport', sourcePort, '--dport', destinationPort],
		...['--state', 'ESTABLISHED', '-u', 'SEEN_REPLY,ASSURED', '-t', `${TIMEOUT}`],
	];
}
