import {FAMILIES} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {programOfProxy} from '../../services/known-programs/find.ts';
import type {Listener} from '../../services/listener.ts';
import {forEachYielding} from '../exec/yield.ts';
import {readText} from '../files/read-text.ts';
import {userOnMachine} from '../rehearsal/is-rehearsal.ts';
import {type BoundSocket, isLoopback, readBoundSockets} from './proc-net.ts';
import {commandNameOf, controlGroupsOf, holdersOf, parentOf, userIdOf} from './processes.ts';
import {readSocketDetails, type SocketDetails} from './ss.ts';
import {findSocketUnits, parseControlGroups, type SocketUnit} from './units.ts';

export type {Published} from '../../existing/nat/published-ports.ts';
export type {Listener} from '../../services/listener.ts';
export {findPublished} from '../netfilter/published-ports.ts';

/** Milliseconds that ss and systemctl are waited for. Without them the list is there, with less in it. */
const TIMEOUT_MS = 2000;

/**
 * Every TCP socket of this network namespace that listens and every UDP socket that waits for
 * anybody, both families, as /proc shows them. Sockets that differ in nothing but who holds them
 * (SO_REUSEPORT) are one. Without root the processes of other users are not known.
 */
export async function findListeners(): Promise<readonly Listener[]> {
	const sockets = readBoundSockets();
	const [details, units, holders] = await Promise.all([
		readSocketDetails(TIMEOUT_MS),
		findSocketUnits(TIMEOUT_MS),
		holdersOf(new Set(sockets.map(({inode}) => inode))),
	]);
	const users = readUsers();
	const ipv4 = new Set(sockets.filter(({family}) => family === 4).map(keyOf));
	const owners = new Map<number, Owner>();
	const parents = new Map<number, number | undefined>();
	const listeners = new Map<string, Listener>();
	await forEachYielding(sockets, (socket) => {
		const pid = chiefOf(holders.get(socket.inode) ?? [], parents);
		const known = pid === undefined ? undefined : (owners.get(pid) ?? describeOwner(pid, users));
		if (pid !== undefined && known !== undefined) {
			owners.set(pid, known);
		}

		const place = placeOf(socket, details.get(socket.inode), ipv4.has(keyOf(socket)));
		const owner = known ?? {user: socket.inode === '0' ? undefined : userOf(socket.uid, users)};
		const listener: Listener = {
			...place,
			...owner,
			...socketUnitOf(place, owner, units),
			...(socket.inode === '0' ? {kernel: true} : {}),
		};
		listeners.set(JSON.stringify(listener), listener);
	});
	return [...listeners.values()].sort(byImportance);
}

/** What others can reach first, then by port. */
function byImportance(a: Listener, b: Listener): number {
	return (
		(a.reach === b.reach ? 0 : a.reach === 'outside' ? -1 : 1) ||
		a.port - b.port ||
		a.protocol.localeCompare(b.protocol) ||
		a.address.localeCompare(b.address)
	);
}

type Owner = Pick<Listener, 'process' | 'pid' | 'user' | 'unit' | 'unitOf' | 'container'>;
type Place = Pick<
	Listener,
	'protocol' | 'address' | 'families' | 'ipv4Unknown' | 'port' | 'on' | 'reach'
>;

/**
 * Of those that share a socket, the one that has started the others; PID 1 lends its sockets out.
 * @param parents those that are known already: the same few may hold thousands of sockets
 */
function chiefOf(
	pids: readonly number[],
	parents: Map<number, number | undefined>,
): number | undefined {
	const others = pids.filter((pid) => pid !== 1);
	for (const pid of others) {
		if (!parents.has(pid)) {
			parents.set(pid, parentOf(pid));
		}
	}

	const heads = others.filter((pid) => !others.includes(parents.get(pid) ?? 0));
	return (
		(heads.length > 0 ? heads : others).reduce<number | undefined>(
			(least, pid) => (least === undefined || pid < least ? pid : least),
			undefined,
		) ?? pids[0]
	);
}

function describeOwner(pid: number, users: ReadonlyMap<number, string>): Owner {
	const {unit, userId, container} = parseControlGroups(controlGroupsOf(pid));
	const name = commandNameOf(pid);
	const id = userIdOf(pid);
	return {
		process: name === '' ? undefined : printable(name),
		pid,
		user: id === undefined ? undefined : userOf(id, users),
		unit,
		unitOf: userId === undefined ? undefined : nameOf(userId, users),
		container: container ?? programOfProxy(name)?.name,
	};
}

/** Where a socket listens, and what comes there. */
function placeOf(
	{protocol, family, address, port}: BoundSocket,
	details: SocketDetails | undefined,
	hasTwin: boolean,
): Place {
	const both = family === 6 && address === '::';
	// Where ss is silent: beside an IPv4 socket on the port nearly always an IPv6 one that keeps out of IPv4.
	const ipv6Only = details?.ipv6Only ?? (hasTwin ? true : undefined);
	return {
		protocol,
		address,
		families: both && ipv6Only !== true ? FAMILIES : [family],
		...(both && ipv6Only === undefined ? {ipv4Unknown: true} : {}),
		port,
		...(details?.on === undefined ? {} : {on: printable(details.on)}),
		reach: isLoopback(address) || details?.on === 'lo' ? 'loopback' : 'outside',
	};
}

/** The socket unit that has opened a socket, or else that starts its service. */
function socketUnitOf(
	{protocol, address, port}: Place,
	owner: Owner,
	units: readonly SocketUnit[],
): Pick<Listener, 'unit' | 'socketUnit' | 'bySocket'> {
	const end = `${address.includes(':') ? `[${address}]` : address}:${port}`;
	const opener = units.find(({listens}) =>
		listens.some((listen) => listen.protocol === protocol && listen.end === end),
	);
	if (
		opener !== undefined &&
		(owner.pid === undefined || owner.pid === 1 || owner.unit === opener.service)
	) {
		return {unit: opener.service, socketUnit: opener.name, bySocket: true};
	}

	const starter =
		owner.unit === undefined || owner.unitOf !== undefined
			? undefined
			: units.find(({service}) => service === owner.unit);
	return starter === undefined ? {} : {socketUnit: starter.name};
}

function keyOf({protocol, port}: BoundSocket): string {
	return `${protocol} ${port}`;
}

/** Names of users by their numbers, as /etc/passwd has them. */
function readUsers(): ReadonlyMap<number, string> {
	return new Map(
		(readText('/etc/passwd') ?? '')
			.split('\n')
			.map((line) => line.split(':'))
			.filter((fields) => fields.length > 2)
			.map(([name = '', , id]) => [Number(id), printable(name)] as const),
	);
}

function userOf(id: number, users: ReadonlyMap<number, string>): string | undefined {
	const real = userOnMachine(id);
	return real === undefined ? undefined : nameOf(real, users);
}

function nameOf(id: number, users: ReadonlyMap<number, string>): string {
	return users.get(id) ?? `${id}`;
}
