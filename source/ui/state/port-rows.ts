import {groupBy} from '../../lib/group-by.ts';
import {isDiscovery, type Opening, printOpening} from '../../policy/opening.ts';
import {covers, type Port} from '../../policy/port-openings.ts';
import {PROTOCOLS} from '../../policy/services.ts';
import type {GuestService} from '../../services/guest-service.ts';
import type {Listener} from '../../services/listener.ts';
import {openingForUse, opensUse, type ProtocolUse} from '../../services/protocol-use.ts';
import {type InsideRow, insideRows} from './inside-rows.ts';
import {
	type PublishedFacts,
	type PublishedRow,
	type PublishingRow,
	portKey,
	publishedRows,
} from './published-rows.ts';

/**
 * A line of the list in Ports. `key` names the line and stays the same while the list around it
 * changes.
 */
export type PortRow =
	/** A port of this machine that other hosts can reach, and the openings that allow it. */
	| {
			readonly kind: 'listener';
			readonly key: string;
			readonly port: Port;
			readonly listeners: readonly Listener[];
			readonly openings: readonly Opening[];
			/** The forwarded ports are not known, and this one may be one of them. */
			readonly mayBeForwarded: boolean;
	  }
	/** A protocol without ports that something here receives, and the openings that allow it. */
	| {
			readonly kind: 'protocol';
			readonly key: string;
			/** What opens it for all sources. */
			readonly opening: Opening;
			readonly uses: readonly ProtocolUse[];
			readonly openings: readonly Opening[];
	  }
	| InsideRow
	| PublishingRow
	| PublishedRow
	/** An opening that covers something else than one port with a listener. */
	| {
			readonly kind: 'opening';
			readonly key: string;
			readonly opening: Opening;
			/**
			 * Whether a program listens on one of its ports; undefined while the listeners are not known.
			 */
			readonly listens: boolean | undefined;
	  }
	/** A port that only this machine itself can reach. */
	| {
			readonly kind: 'loopback';
			readonly key: string;
			readonly port: Port;
			readonly listeners: readonly Listener[];
	  };

/** What the list is made from. Undefined means that the facts are not known yet, or not at all. */
type PortFacts = PublishedFacts & {
	readonly listeners: readonly Listener[] | undefined;
	readonly protocols: readonly ProtocolUse[] | undefined;
	/** What containers and guests of this machine use; undefined: nothing is known of it. */
	readonly guests?: readonly GuestService[] | undefined;
};

let last: {readonly facts: PortFacts; readonly rows: readonly PortRow[]} | undefined;

/**
 * The list in Ports, in this order: ports with a listener that others can reach, those that containers and
 * guests use, published ports,
 * protocols without ports that something receives, the other openings, listeners on loopback. The
 * list is made again only when one of its inputs has changed, since every key asks for it.
 */
export function portRows(facts: PortFacts): readonly PortRow[] {
	const names = Object.keys(facts) as ReadonlyArray<keyof PortFacts>;
	const same = names.every((name) => last?.facts[name] === facts[name]);
	if (!same) {
		last = {facts, rows: makeRows(facts)};
	}

	return last?.rows ?? [];
}

function makeRows(facts: PortFacts): readonly PortRow[] {
	const {openings, listeners, protocols = [], forwarded, guests = []} = facts;
	const behind = publishedRows(facts);
	const byContainers = new Set(
		behind.flatMap((row) => (row.kind === 'published' && row.governed ? portKey(row.ports) : [])),
	);
	const all = groupByPort((listeners ?? []).filter(({reach}) => reach === 'outside'));
	// Docker listens for the ports that it publishes as well: one line, one opening for both ways.
	const outside = new Map(
		[...all].filter(
			([key, members]) =>
				!byContainers.has(key) || members.some(({container}) => container === undefined),
		),
	);
	const inside = insideRows(openings, listeners ?? [], guests);
	const forGuests = new Set(inside.flatMap((row) => row.openings));
	const find = finderOf(openings.filter((opening) => !forGuests.has(opening)));
	const reachable = [...outside].map(([key, members]): Extract<PortRow, {kind: 'listener'}> => {
		const port = portOf(members);
		return {
			...{kind: 'listener', key, port, listeners: members, openings: find(port)},
			mayBeForwarded: forwarded === undefined,
		};
	});
	const ports = [...outside.values()].map(portOf);
	const shown = new Set([...outside.keys(), ...byContainers]);
	return [
		...reachable,
		...inside,
		...behind,
		...protocolRows(protocols, openings),
		...openings
			.filter((opening) => !forGuests.has(opening) && !isShownBy(opening, shown, protocols))
			.map((opening): PortRow => {
				// What receives a protocol without ports may be in the kernel, and begin at any time.
				const listens =
					listeners === undefined || !isByPort(opening)
						? undefined
						: ports.some((port) => covers(opening, port)) ||
							behind.some((row) => row.kind === 'published' && row.openings.includes(opening));
				return {kind: 'opening', key: printOpening(opening), opening, listens};
			}),
		...[...groupByPort((listeners ?? []).filter(({reach}) => reach === 'loopback'))].map(
			([key, members]): PortRow => ({
				kind: 'loopback',
				key: `loopback ${key}`,
				port: portOf(members),
				listeners: members,
			}),
		),
	];
}

/**
 * Groups listeners by port and protocol: a program has one socket for each family and address. The
 * keys are like `22/tcp`.
 */
function groupByPort(listeners: readonly Listener[]): ReadonlyMap<string, readonly Listener[]> {
	const groups = new Map<string, Listener[]>();
	for (const listener of listeners) {
		const key = `${listener.port}/${listener.protocol}`;
		const group = groups.get(key);
		if (group) {
			group.push(listener);
		} else {
			groups.set(key, [listener]);
		}
	}

	return groups;
}

function portOf([first]: readonly Listener[]): Port {
	return {protocol: first?.protocol ?? 'tcp', port: first?.port ?? 0};
}

/**
 * Makes a function that finds the openings of a port. Most openings are of a single port, and there
 * may be hundreds of openings and of ports, so these are looked up by number.
 */
function finderOf(openings: readonly Opening[]): (port: Port) => readonly Opening[] {
	const single = new Map<number, Opening[]>();
	const others: Opening[] = [];
	for (const opening of openings) {
		if (opening.kind === 'port' && opening.first === opening.last) {
			single.set(opening.first, [...(single.get(opening.first) ?? []), opening]);
		} else {
			others.push(opening);
		}
	}

	return (port) =>
		[...(single.get(port.port) ?? []), ...others].filter((opening) => covers(opening, port));
}

/** Whether something can listen on a port that an opening opens, which the list of listeners has. */
function isByPort(opening: Opening): boolean {
	return opening.kind !== 'protocol' && !(opening.kind === 'port' && opening.protocol === 'sctp');
}

/** A line for each protocol, or port of SCTP, that something receives. */
function protocolRows(
	uses: readonly ProtocolUse[],
	openings: readonly Opening[],
): readonly PortRow[] {
	return groupBy(uses, (use) => printOpening(openingForUse(use))).flatMap((group) =>
		group.slice(0, 1).map((use): PortRow => {
			const opening = openingForUse(use);
			return {
				kind: 'protocol',
				key: `protocol ${printOpening(opening)}`,
				opening,
				uses: group,
				openings: openings.filter(
					(one) => !isDiscovery(one) && group.some((use) => opensUse(one, use)),
				),
			};
		}),
	);
}

/** Whether the lines of what listens already show everything that an opening opens. */
function isShownBy(
	opening: Opening,
	outside: ReadonlySet<string>,
	uses: readonly ProtocolUse[],
): boolean {
	if (isDiscovery(opening)) {
		return outside.has(opening.kind === 'mdns' ? '5353/udp' : '1900/udp');
	}

	if (opening.kind === 'protocol' || opening.protocol === 'sctp') {
		return (
			uses.some((use) => opensUse(opening, use)) &&
			(opening.kind === 'protocol' || opening.first === opening.last)
		);
	}

	const protocols = opening.protocol === 'both' ? PROTOCOLS : [opening.protocol];
	return protocols.every((protocol) => outside.has(portKey({...opening, protocol})));
}
