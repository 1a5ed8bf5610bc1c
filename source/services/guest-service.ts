import {groupBy} from '../lib/group-by.ts';
import {joinWords} from '../lib/list.ts';
import {contains} from '../lib/network.ts';
import {isInterface} from '../policy/interface-pattern.ts';
import {mergeOpenings} from '../policy/merge-openings.ts';
import {type Opening, shortOpening} from '../policy/opening.ts';
import {covers, openingOf, type Port} from '../policy/port-openings.ts';
import {programOfInterface} from './known-programs/find.ts';
import type {Listener} from './listener.ts';

/** An interface behind which are hosts that have this machine as their way out; its addresses have no prefixes. */
export type InnerNetwork = {
	readonly name: string;
	readonly addresses: readonly string[];
	/** The networks of its addresses, CIDR. */
	readonly subnets: readonly string[];
	/**
	 * How an opening names it: `br-+` for a network of Docker, whose bridge has another name when it is made
	 * anew, unless an interface with the outside behind it begins so; else `name`.
	 */
	readonly pattern: string;
	/** A bridge with containers or virtual machines in it, and no network card; or the end of a container. */
	readonly ofGuests: boolean;
	/** What Docker or podman call the network of a bridge; safe to print. Absent where it tells no more than `name`. */
	readonly network?: string;
};

/** Who is behind an inner network, after `from`: `containers of app_default`, `guests on virbr0`, `hosts behind wlan0` */
export function describeInside({name, network, ofGuests}: InnerNetwork): string {
	if (network !== undefined) {
		return `containers of ${network}`;
	}

	const owner = programOfInterface(name);
	return !ofGuests
		? `hosts behind ${name}`
		: owner?.proxies !== undefined || owner?.name.includes('CNI')
			? `containers on ${name}`
			: `guests on ${name}`;
}

/** A service of this machine for the hosts behind an inner network alone. */
export type GuestService = Port & {
	readonly network: InnerNetwork;
	/** The program that listens; safe to print. */
	readonly program: string;
	/** Who uses it now: names of containers, or addresses; safe to print. */
	readonly users: readonly string[];
	/** The table of nftables that accepts its packets, as `inet incus`: what our rules reject is rejected all the same. */
	readonly overruled?: string;
};

/** A host behind this machine that sends to a port of it now. */
export type GuestUse = Port & {readonly source: string};

/** DNS, and DHCP of both families: without them a guest has no names, and no address. */
const BASIC = ['53/tcp', '53/udp', '67/udp', '547/udp'];

/**
 * The services that wait on an address of an inner network, or are bound to its interface, and those that
 * hosts behind it use now: on bridges of guests, and where this machine gives addresses to others, as a
 * hotspot does.
 */
export function findGuestServices(
	listeners: readonly Listener[],
	networks: readonly InnerNetwork[],
	uses: readonly GuestUse[] = [],
): readonly GuestService[] {
	return networks.flatMap((network) => {
		const bound = listeners.filter((listener) => isOn(listener, network));
		if (!network.ofGuests && !bound.some(isDhcpServer)) {
			return [];
		}

		const ofNetwork = uses.filter(({source}) => isBehind(network, source));
		const usersOf = ({protocol, port}: Port) => [
			...new Set(
				ofNetwork
					.filter((use) => use.protocol === protocol && use.port === port)
					.map(({source}) => source),
			),
		];
		const used = listeners.filter(
			(one) => one.reach === 'outside' && !bound.includes(one) && usersOf(one).length > 0,
		);
		return groupBy([...bound, ...used], ({protocol, port}) => `${port}/${protocol}`).map(
			([first]) => ({
				...{network, protocol: first.protocol, port: first.port},
				program: first.process ?? 'a program',
				users: usersOf(first),
			}),
		);
	});
}

/** The listeners for hosts elsewhere as well. What serves DHCP to guests listens on all addresses for it. */
export function notForGuests(
	listeners: readonly Listener[],
	networks: readonly InnerNetwork[],
): readonly Listener[] {
	const served = new Set(findGuestServices(listeners, networks).map(({network}) => network));
	const forGuests = listeners.filter((one) => [...served].some((network) => isOn(one, network)));
	const programs = new Set(forGuests.flatMap(({process = []}) => process));
	return listeners.filter(
		(one) => !forGuests.includes(one) && !(isDhcpServer(one) && programs.has(one.process ?? '')),
	);
}

function isDhcpServer({protocol, port}: Port): boolean {
	return protocol === 'udp' && (port === 67 || port === 547);
}

function isOn({on, address}: Listener, {name, addresses}: InnerNetwork): boolean {
	return on === name || (on === undefined && addresses.includes(address));
}

function isBehind({subnets, addresses}: InnerNetwork, source: string): boolean {
	return !addresses.includes(source) && subnets.some((cidr) => contains(cidr, source));
}

/** The openings that let the hosts behind the networks reach services. */
export function openingsForGuests(services: readonly GuestService[]): readonly Opening[] {
	return mergeOpenings(
		services.map(
			(service): Opening => ({
				...{kind: 'port', limit: false, first: service.port, last: service.port},
				...{protocol: service.protocol, on: service.network.pattern},
			}),
		),
	);
}

/** Those without which guests get neither an address nor names. */
export function basicOf(services: readonly GuestService[]): readonly GuestService[] {
	return services.filter(({port, protocol}) => BASIC.includes(`${port}/${protocol}`));
}

/** Those that no opening lets in from their network, be it from some of its hosts. */
export function findShutToGuests(
	services: readonly GuestService[],
	openings: readonly Opening[],
): readonly GuestService[] {
	return services.filter(
		(service) =>
			!openings.some(
				(opening) =>
					covers(opening, service) &&
					(opening.on === undefined || isInterface(opening.on, service.network.name)),
			),
	);
}

/** More users of a service than these are counted. */
const MOST_USERS = 3;

/**
 * One sentence for each network, without a full stop: `dnsmasq serves guests on virbr0, and is not open to
 * them. To open: 53 on virbr0, 67/udp on virbr0`; `postgres serves containers of app_default (web uses it
 * now), and is not open to them. To open: 5432/tcp on br-+`
 */
export function describeShutToGuests(services: readonly GuestService[]): readonly string[] {
	return groupBy(services, ({network}) => network.name).map((group) => {
		const programs = [...new Set(group.map(({program}) => program))];
		const [serve, are] = programs.length === 1 ? ['serves', 'is'] : ['serve', 'are'];
		const openings = openingsForGuests(group).map(shortOpening).join(', ');
		const tables = [...new Set(group.flatMap(({overruled}) => overruled ?? []))];
		const accepted =
			tables.length === 0
				? ''
				: `, though table ${joinWords(tables)} of nftables accepts them: what one table blocks is blocked`;
		return `${joinWords(programs)} ${serve} ${describeInside(group[0].network)}${describeUsers(group)}, and ${are} not open to them${accepted}. To open: ${openings}`;
	});
}

/** ` (web and api use it now)` */
function describeUsers(services: readonly GuestService[]): string {
	const users = [...new Set(services.flatMap((service) => service.users))];
	const more = users.length - MOST_USERS;
	const names =
		more > 0 ? `${users.slice(0, MOST_USERS).join(', ')} and ${more} more` : joinWords(users);
	return users.length === 0 ? '' : ` (${names} ${users.length === 1 ? 'uses' : 'use'} it now)`;
}

/** Whether a program also listens elsewhere for the port of a service than on the network of its guests. */
export function isAlsoForOthers(service: GuestService, listeners: readonly Listener[]): boolean {
	return listeners.some(
		(one) =>
			one.port === service.port &&
			one.protocol === service.protocol &&
			one.reach === 'outside' &&
			!isOn(one, service.network),
	);
}

/** What opens a port on which some programs listen: on their network alone, where all of them are on one. */
export function openingOfListeners(
	port: Port,
	listeners: readonly Listener[],
	services: readonly GuestService[],
): readonly Opening[] {
	const here = services.filter((one) => one.port === port.port && one.protocol === port.protocol);
	return listeners.every((listener) => here.some(({network}) => isOn(listener, network)))
		? openingsForGuests(here)
		: [openingOf(port)];
}
