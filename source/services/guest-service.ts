import {groupBy} from '../lib/group-by.ts';
import {joinWords} from '../lib/list.ts';
import {mergeOpenings} from '../policy/merge-openings.ts';
import {type Opening, shortOpening} from '../policy/opening.ts';
import {covers, openingOf, type Port} from '../policy/port-openings.ts';
import type {Listener} from './listener.ts';

/** An interface behind which are hosts that have this machine as their way out, and its addresses, without prefixes. */
export type InnerNetwork = {
	readonly name: string;
	readonly addresses: readonly string[];
	/** A bridge with containers or virtual machines in it, and no network card. */
	readonly ofGuests: boolean;
};

/** A service of this machine for the hosts behind an inner network alone. */
export type GuestService = Port & {
	readonly network: InnerNetwork;
	/** The program that listens; safe to print. */
	readonly program: string;
};

/** DNS, and DHCP of both families: without them a guest has no names, and no address. */
const BASIC = ['53/tcp', '53/udp', '67/udp', '547/udp'];

/**
 * The services that wait on an address of an inner network, or are bound to its interface: on bridges of
 * guests, and where this machine gives addresses to others, as a hotspot does.
 */
export function findGuestServices(
	listeners: readonly Listener[],
	networks: readonly InnerNetwork[],
): readonly GuestService[] {
	return networks.flatMap((network) => {
		const found = listeners.filter((listener) => isOn(listener, network));
		if (!network.ofGuests && !found.some(isDhcpServer)) {
			return [];
		}

		return groupBy(found, ({protocol, port}) => `${port}/${protocol}`).flatMap(([first]) =>
			first === undefined
				? []
				: [
						{
							...{network, protocol: first.protocol, port: first.port},
							program: first.process ?? 'a program',
						},
					],
		);
	});
}

/** The listeners that hosts elsewhere can reach as well. */
export function notForGuests(
	listeners: readonly Listener[],
	networks: readonly InnerNetwork[],
): readonly Listener[] {
	const served = new Set(findGuestServices(listeners, networks).map(({network}) => network));
	return listeners.filter((listener) => ![...served].some((network) => isOn(listener, network)));
}

function isDhcpServer({protocol, port}: Port): boolean {
	return protocol === 'udp' && (port === 67 || port === 547);
}

function isOn({on, address}: Listener, {name, addresses}: InnerNetwork): boolean {
	return on === name || (on === undefined && addresses.includes(address));
}

/** The openings that let the hosts behind the networks reach services. */
export function openingsForGuests(services: readonly GuestService[]): readonly Opening[] {
	return mergeOpenings(
		services.map(
			(service): Opening => ({
				...{kind: 'port', limit: false, first: service.port, last: service.port},
				...{protocol: service.protocol, on: service.network.name},
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
					(opening.on === undefined || opening.on === service.network.name),
			),
	);
}

/** One sentence for each network, without a full stop: `dnsmasq serves the hosts behind virbr0, and is not open to them. To open: 53 on virbr0, 67/udp on virbr0` */
export function describeShutToGuests(services: readonly GuestService[]): readonly string[] {
	return groupBy(services, ({network}) => network.name).map((group) => {
		const programs = [...new Set(group.map(({program}) => program))];
		const [serve, are] = programs.length === 1 ? ['serves', 'is'] : ['serve', 'are'];
		const openings = openingsForGuests(group).map(shortOpening).join(', ');
		return `${joinWords(programs)} ${serve} the hosts behind ${group[0]?.network.name}, and ${are} not open to them. To open: ${openings}`;
	});
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
