import {hasInterfaces} from './interface-pattern.ts';
import {mergeOpenings} from './merge-openings.ts';
import {
	isDiscovery,
	type Opening,
	type PortOpening,
	type ProtocolOpening,
	printOpening,
} from './opening.ts';
import {divideOpening} from './port-openings.ts';
import {isWithin, type Sources, sourceBits} from './sources.ts';

/** What adding openings does. */
export type Added = {
	/** All openings then, merged. */
	readonly openings: readonly Opening[];
	/** Those that open something. */
	readonly fresh: readonly Opening[];
	/** Those that take the place of wider ones. */
	readonly narrower: readonly Opening[];
	/** What these narrow: the wider ones, as far as they have the same ports. */
	readonly narrowed: readonly Opening[];
	/** Those that change nothing. */
	readonly idle: readonly Opening[];
};

/**
 * Adds openings. One that a wider one contains takes its place: `22/tcp limit` and `22/tcp from 10.0.0.0/8` narrow 22/tcp
 * that is open to all, since nobody would ask for them to change nothing. One for other sources or another
 * interface than the port is open to is added.
 *
 * An opening for all under `limit` counts as wider than one for some sources: a port that is meant for one network
 * must not stay open to the others.
 */
export function addOpenings(before: readonly Opening[], added: readonly Opening[]): Added {
	if (added.length === 0) {
		return {openings: mergeOpenings(before), fresh: [], narrower: [], narrowed: [], idle: []};
	}

	const narrower = added.filter((opening) => before.some((wide) => isNarrower(opening, wide)));
	const narrowed: Opening[] = [];
	const rest = before.flatMap((wide): readonly Opening[] => {
		const inside = narrower.filter((opening) => isNarrower(opening, wide));
		const left = inside.reduce<readonly Opening[]>(
			(pieces, opening) => pieces.flatMap((piece) => without(piece, opening)),
			[wide],
		);
		narrowed.push(...inside.flatMap((opening) => withPortsOf(wide, opening)));
		// The line of the list stays where it is.
		return [...inside, ...left];
	});
	const openings = mergeOpenings([...rest, ...added]);
	const there = new Set(mergeOpenings(before).map(printOpening));
	const then = new Set(openings.map(printOpening));
	// An opening that the merged list contains unchanged is new. Only the others have to be merged one by one.
	const idle = added.filter((opening) => {
		const text = printOpening(opening);
		return (
			!narrower.includes(opening) &&
			(there.has(text) || (!then.has(text) && addsNothing(opening, before)))
		);
	});
	const fresh = added.filter((opening) => !narrower.includes(opening) && !idle.includes(opening));
	return {openings, fresh, narrower, narrowed: mergeOpenings(narrowed), idle};
}

/**
 * Whether everything that `opening` opens is open by `wide`, and more of it for the same ports. Where the two do
 * not end at the same time, neither takes the place of the other.
 */
function isNarrower(opening: Opening, wide: Opening): boolean {
	if (isDiscovery(opening) || isDiscovery(wide)) {
		return opening.kind === wide.kind && opening.on !== undefined && wide.on === undefined;
	}

	return (
		opening.until === wide.until &&
		hasPortsOf(opening, wide) &&
		isForSome(opening, wide) &&
		(opening.on !== wide.on ||
			hasFewer(opening.from, wide.from) ||
			(isLimited(opening) && !isLimited(wide)))
	);
}

/** Whether the ports of one opening, or its protocol without ports, are all of the other. */
function hasPortsOf(inner: Opening, outer: Opening): boolean {
	return inner.kind === 'port'
		? outer.kind === 'port' &&
				outer.first <= inner.first &&
				inner.last <= outer.last &&
				(outer.protocol === 'both' || outer.protocol === inner.protocol)
		: inner.kind === 'protocol' &&
				outer.kind === 'protocol' &&
				inner.protocol.number === outer.protocol.number;
}

type Where = {readonly from?: Sources; readonly on?: string};

/** Whether the sources and the interface of one are among those of the other. */
function isForSome({from, on}: Where, outer: Where): boolean {
	return (
		hasInterfaces(outer.on, on) &&
		(outer.from === undefined || (from?.every((source) => isInside([source], outer.from)) ?? false))
	);
}

/** Whether a source is narrower than the one that contains it. A list that only lacks some of the other's is not. */
function hasFewer(inner: Sources | undefined, outer: Sources | undefined): boolean {
	return (
		inner !== undefined &&
		(outer === undefined ||
			inner.some((one) => outer.every((source) => sourceBits(source) !== sourceBits(one))))
	);
}

/** Whether one of the sources is within one of the others. */
function isInside(inner: Sources = [], outer: Sources = []): boolean {
	return inner.some((source) => outer.some((other) => isWithin(source, other)));
}

function isLimited(opening: Opening): boolean {
	return opening.kind === 'port' && opening.limit;
}

/** What stays of an opening beside a narrower one: its other ports, and its other sources. */
function without(wide: Opening, narrower: Opening): readonly Opening[] {
	if (isDiscovery(wide) || isDiscovery(narrower)) {
		return [];
	}

	const forOthers = (part: Narrow): readonly Narrow[] => {
		const from = part.from?.filter((source) => !isInside(narrower.from, [source])) ?? [];
		return from.length === 0 ? [] : [{...part, from}];
	};
	if (wide.kind === 'protocol' || narrower.kind === 'protocol') {
		return forOthers(wide);
	}

	const {inside, outside} = divideOpening(wide, narrower);
	return [...inside.flatMap(forOthers), ...outside];
}

function withPortsOf(wide: Opening, narrower: Opening): readonly Opening[] {
	return wide.kind === 'port' && narrower.kind === 'port'
		? divideOpening(wide, narrower).inside
		: [wide];
}

type Narrow = PortOpening | ProtocolOpening;

function addsNothing(opening: Opening, openings: readonly Opening[]): boolean {
	const print = (all: readonly Opening[]) => mergeOpenings(all).map(printOpening).join();
	return print([...openings, opening]) === print(openings);
}
