import type {Published} from '../../existing/nat/published-ports.ts';
import {type Opening, printOpening} from '../../policy/opening.ts';
import {covers, type Port} from '../../policy/port-openings.ts';
import type {Listener} from '../../services/listener.ts';

/** A line of the list in Ports. `key` names it, however the list changes around it. */
export type PortRow =
	/** Sockets of one port that others can reach, and the openings that let them. */
	| {
			readonly kind: 'listener';
			readonly key: string;
			readonly port: Port;
			readonly listeners: readonly Listener[];
			readonly openings: readonly Opening[];
	  }
	/** Forwarded past INPUT: no opening shuts it. */
	| {readonly kind: 'published'; readonly key: string; readonly published: Published}
	/** An opening that is not the same as one port that something listens on. */
	| {
			readonly kind: 'opening';
			readonly key: string;
			readonly opening: Opening;
			/** Whether something listens on one of its ports, as far as that is known. */
			readonly listens: boolean | undefined;
	  }
	/** Listens for this machine alone. */
	| {
			readonly kind: 'loopback';
			readonly key: string;
			readonly port: Port;
			readonly listeners: readonly Listener[];
	  };

/** What the list is made of. Undefined: still being looked for. */
export type PortFacts = {
	readonly openings: readonly Opening[];
	readonly listeners: readonly Listener[] | undefined;
	readonly published: readonly Published[] | undefined;
};

let last: {readonly facts: PortFacts; readonly rows: readonly PortRow[]} | undefined;

/**
 * The list in Ports: what listens and can be reached, what is forwarded, openings beside these, what
 * listens on loopback. Made anew only when one of the three has changed: every key asks for it.
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

/** Sockets of one port of one protocol and one process: one for each family and address. */
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

/** Finds the openings of a port. Most are of a single port, and there may be hundreds of both. */
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

/** Whether the lines of what listens say all of an opening. */
function isShownBy(opening: Opening, outside: ReadonlyMap<string, unknown>): boolean {
	if (opening.kind === 'mdns') {
		return outside.has('5353/udp');
	}

	const protocols = opening.protocol === 'both' ? ['tcp', 'udp'] : [opening.protocol];
	return (
		opening.first === opening.last &&
		protocols.every((protocol) => outside.has(`${opening.first}/${protocol}`))
	);
}
