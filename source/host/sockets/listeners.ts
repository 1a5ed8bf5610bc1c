import {FAMILIES, printEndpoint} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {Listener} from '../../services/listener.ts';
import {forEachYielding} from '../exec/yield.ts';
import {chiefOf, describeOwner, type Owner, readUsers, userOf} from './owners.ts';
import {type BoundSocket, isLoopback, readBoundSockets} from './proc-net.ts';
import {holdersOf} from './processes.ts';
import {readSocketDetails, type SocketDetails} from './ss.ts';
import {findSocketUnits, type SocketUnit} from './units.ts';
import {findVirtualServices} from './virtual-services.ts';

export type {Published} from '../../existing/nat/published-ports.ts';
export type {Listener} from '../../services/listener.ts';
export {findPublished} from '../netfilter/published-ports.ts';

/** Milliseconds that ss and systemctl are waited for. Without them the list is there, with less in it. */
const TIMEOUT_MS = 2000;

/**
 * Every TCP socket of this network namespace that listens and every UDP socket that waits for
 * anybody, both families, as /proc shows them, and the virtual services of IPVS. Sockets that differ in
 * nothing but who holds them (SO_REUSEPORT) are one. Without root the processes of other users are not known.
 * @param brief from /proc alone, without starting a program: neither interfaces nor socket units are known
 */
export async function findListeners({brief = false} = {}): Promise<readonly Listener[]> {
	const sockets = readBoundSockets();
	const [details, units, holders] = await Promise.all([
		brief ? new Map<string, SocketDetails>() : readSocketDetails(TIMEOUT_MS),
		brief ? [] : findSocketUnits(TIMEOUT_MS),
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
	return [...listeners.values(), ...findVirtualServices()].sort(byImportance);
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

type Place = Pick<
	Listener,
	'protocol' | 'address' | 'families' | 'ipv4Unknown' | 'port' | 'on' | 'reach'
>;

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
	const end = printEndpoint(address, port);
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
