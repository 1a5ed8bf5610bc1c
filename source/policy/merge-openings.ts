import {groupBy} from '../lib/group-by.ts';
import {prefixBits} from '../lib/network.ts';
import type {MdnsOpening, Opening, PortOpening} from './parse-opening.ts';

/** An opening with its place in the list and the reach of its source, found out once. */
type Placed = PortOpening & {readonly place: number; readonly reach: string};

/** The part of an opening that concerns one protocol. */
type Part = Placed & {readonly protocol: 'tcp' | 'udp'};

/**
 * The same openings, each port said once: repeated and overlapping ones of one kind (source,
 * interface, limit) become one, and one that a wider opening contains (any source, any interface,
 * no limit) disappears. What is let in stays exactly the same, and so does the order.
 */
export function mergeOpenings(openings: readonly Opening[]): readonly Opening[] {
	const parts = openings.flatMap((opening, place) =>
		opening.kind === 'port' ? split({...opening, place, reach: prefixBits(opening.from)}) : [],
	);
	const united = groupBy(parts, scopeOf).flatMap(unite);
	const needed = [...withoutContained(united)].sort((a, b) => a.place - b.place);
	const ports = collapse(needed).map(({reach: _, ...part}) => part);
	const discovery = openings
		.map((opening, place) => ({...opening, place}))
		.filter((opening): opening is MdnsOpening & {place: number} => opening.kind === 'mdns')
		.filter((opening, index, all) => all.findIndex((other) => other.on === opening.on) === index)
		.filter(
			(opening, _, all) => opening.on === undefined || all.every((other) => other.on !== undefined),
		);
	return [...ports, ...discovery]
		.sort((a, b) => a.place - b.place)
		.map(({place: _, ...opening}) => opening);
}

/** TCP and UDP of the same ports, otherwise alike, become one. Keeps the order of the first of each pair. */
export function collapse<T extends Omit<PortOpening, 'kind' | 'limit'> & {limit?: boolean}>(
	ports: readonly T[],
): readonly T[] {
	const pairs = groupBy(
		ports,
		(port) => `${port.first} ${port.last} ${port.from?.cidr} ${port.on} ${port.limit}`,
	);
	return pairs.flatMap(([port, twin]) =>
		port === undefined ? [] : [twin === undefined ? port : {...port, protocol: 'both' as const}],
	);
}

function split(opening: Placed): readonly Part[] {
	return opening.protocol === 'both'
		? [
				{...opening, protocol: 'tcp'},
				{...opening, protocol: 'udp'},
			]
		: [{...opening, protocol: opening.protocol}];
}

function scopeOf(part: Part): string {
	return `${part.protocol} ${part.from?.cidr} ${part.on} ${part.limit}`;
}

/** Overlapping ranges of one scope become one, in the place of the first of them. */
function unite(parts: readonly Part[]): readonly Part[] {
	const united: Part[] = [];
	for (const part of [...parts].sort((a, b) => a.first - b.first)) {
		const before = united.at(-1);
		if (before !== undefined && part.first <= before.last) {
			united[united.length - 1] = {
				...before,
				last: Math.max(before.last, part.last),
				place: Math.min(before.place, part.place),
			};
		} else {
			united.push(part);
		}
	}

	return united;
}

/** Without those that another one contains. Only those whose ranges meet are compared. */
function withoutContained(parts: readonly Part[]): readonly Part[] {
	const sorted = [...parts].sort((a, b) => a.first - b.first);
	let begun: readonly Part[] = [];
	return groupBy(sorted, ({first}) => `${first}`).flatMap((group) => {
		const first = group[0]?.first ?? 0;
		begun = [...begun.filter(({last}) => last >= first), ...group];
		return group.filter((part) => !begun.some((other) => other !== part && contains(other, part)));
	});
}

/** Whether `outer` lets in all that `inner` does. */
function contains(outer: Part, inner: Part): boolean {
	return (
		outer.protocol === inner.protocol &&
		outer.first <= inner.first &&
		inner.last <= outer.last &&
		(outer.on === undefined || outer.on === inner.on) &&
		(!outer.limit || inner.limit) &&
		inner.reach.startsWith(outer.reach)
	);
}
