import type {Published} from '../../existing/nat/published-ports.ts';
import {type Opening, printOpening} from '../../policy/opening.ts';
import {covers, type Port} from '../../policy/port-openings.ts';
import type {Listener} from '../../services/listener.ts';

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
	  }
	/**
	 * A port that is forwarded to a container or guest. Its packets do not pass INPUT, so no opening
	 * of the policy decides about them.
	 */
	| {readonly kind: 'published'; readonly key: string; readonly published: Published}
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
export type PortFacts = {
	readonly openings: readonly Opening[];
	readonly listeners: readonly Listener[] | undefined;
	readonly published: readonly Published[] | undefined;
};

let last: {readonly facts: PortFacts; readonly rows: readonly PortRow[]} | undefined;

/**
 * The list in Ports, in this order: ports with a listener that others can reach, forwarded ports,
 * the other openings, listeners on loopback. The list is made again only when one of its three
 * inputs has changed, since every key asks for it.
 */
export function portRows({openings, listeners, published}: PortFacts): readonly PortRow[] {
	const same =
		last?.facts.openings === openings &&
		last.facts.listeners === listeners &&
		last.facts.published === published;
	if (!same) {
		const facts = {openings, listeners, published};
		last = {facts, rows: makeRows(facts)};
	}

	return last?.rows ?? [];
}

function makeRows({openings, listeners, published = []}: PortFacts): readonly PortRow[] {
	const outside = groupByPort((listeners ?? []).filter(({reach}) => reach === 'outside'));
	const find = finderOf(openings);
	const reachable = [...outside].map(([key, members]): Extract<PortRow, {kind: 'listener'}> => {
		const port = portOf(members);
		return {kind: 'listener', key, port, listeners: members, openings: find(port)};
	});
	const ports = [...outside.values()].map(portOf);
	return [
		...reachable,
		...published.map((one): PortRow => {
			const key = `to ${one.to} ${one.protocol} ${one.address} ${one.port} ${one.on} ${one.from}`;
			return {kind: 'published', key, published: one};
		}),
		...openings
			.filter((opening) => !isShownBy(opening, outside))
			.map((opening): PortRow => {
				const listens =
					listeners === undefined ? undefined : ports.some((port) => covers(opening, port));
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

/** Whether the lines of the listeners already show everything that an opening opens. */
function isShownBy(opening: Opening, outside: ReadonlyMap<string, unknown>): boolean {
	if (opening.kind === 'mdns') {
		return outside.has('5353/udp');
	}

	if (opening.kind === 'protocol') {
		return false;
	}

	const protocols = opening.protocol === 'both' ? ['tcp', 'udp'] : [opening.protocol];
	return (
		opening.first === opening.last &&
		protocols.every((protocol) => outside.has(`${opening.first}/${protocol}`))
	);
}
