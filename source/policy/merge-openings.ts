import {type Group, groupBy} from '../lib/group-by.ts';
import {LAST_PORT} from '../lib/port-ranges.ts';
import {hasInterfaces} from './interface-pattern.ts';
import {SCTP} from './ip-protocols.ts';
import {
	type DiscoveryOpening,
	isDiscovery,
	type Opening,
	type OpeningNotes,
	type PortOpening,
	type PortProtocol,
	type ProtocolOpening,
} from './opening.ts';
import {type Source, type Sources, sourceBits} from './sources.ts';

/**
 * The ports of one protocol that an opening opens to one source, be it a group, with its position in the list
 * and what its source contains.
 */
type Part = Omit<PortOpening, 'kind' | 'protocol' | 'from'> & {
	readonly from?: Source;
	/** A protocol without ports has its number here, and only port 0. */
	readonly protocol: PortProtocol | number;
	/** The protocol that is opened as a whole. */
	readonly whole?: ProtocolOpening;
	readonly position: number;
	readonly sourceBits: string;
};

/**
 * The same openings without repetition: those that overlap and have the same source and interface
 * become one, one that a wider opening contains (any source, any interface, no limit, no end or a later
 * one, all of a protocol) disappears, and those that differ by their sources only become one with all of these. What is
 * open stays exactly the same, and so does the order.
 *
 * The connections to all ports of an opening under `limit` are counted together. Two openings under
 * a limit therefore become one only where their ports are the same: a wider one in their place would
 * allow to both together what each of them allowed.
 */
export function mergeOpenings(openings: readonly Opening[]): readonly Opening[] {
	const known = MERGED.get(openings);
	if (known !== undefined) {
		return known;
	}

	const merged = merge(openings);
	MERGED.set(openings, merged);
	MERGED.set(merged, merged);
	return merged;
}

/** A key typed in Ports asks for the same lists several times, of some hundred openings perhaps. */
const MERGED = new WeakMap<readonly Opening[], readonly Opening[]>();

function merge(openings: readonly Opening[]): readonly Opening[] {
	const parts = openings.flatMap((opening, index) =>
		splitOpening(opening).map((part, order, {length}) => ({
			...part,
			position: index + order / length,
		})),
	);
	const joined = joinEqual(groupBy(parts, scopeOf).flatMap(joinOverlapping));
	const needed = [...withoutContained(joined)].sort((a, b) => a.position - b.position);
	const listed = joinSources(needed);
	const ports = joinProtocols(
		listed.flatMap(({whole, sourceBits: _, protocol, ...part}) =>
			whole === undefined && typeof protocol === 'string'
				? [{kind: 'port' as const, protocol, ...part}]
				: [],
		),
	);
	const wholes = listed.flatMap(({whole, from, position}) =>
		whole ? [{...whole, ...(from && {from}), position}] : [],
	);
	const discovery = groupBy(
		openings
			.map((opening, position) => ({...opening, position}))
			.filter((opening): opening is DiscoveryOpening & {position: number} => isDiscovery(opening)),
		({kind, on}) => `${kind} ${on}`,
	)
		.map(withLastComment)
		.filter(
			({kind, on}, _, all) =>
				on === undefined || all.every((other) => other.kind !== kind || other.on !== undefined),
		);
	return [...ports, ...wholes, ...discovery]
		.sort((a, b) => a.position - b.position)
		.map(({position: _, ...opening}) => opening);
}

/** TCP and UDP of the same ports, otherwise alike, become one, in the place of the first of the two. */
export function joinProtocols<T extends Omit<PortOpening, 'kind' | 'limit'> & {limit?: boolean}>(
	ports: readonly T[],
): readonly T[] {
	const pairs = groupBy(
		ports,
		({protocol, ...port}) =>
			`${protocol === 'sctp' ? 'sctp' : ''} ${port.first} ${port.last} ${sourcesKey(port.from)} ${port.on} ${port.limit} ${port.until} ${port.comment}`,
	);
	return pairs.map(([port, twin]) =>
		twin === undefined ? port : {...port, protocol: 'both' as const},
	);
}

/** The same for every order of the same sources. */
export function sourcesKey(from: Sources | undefined): string {
	if (from === undefined) {
		return '';
	}

	const key = SOURCES_KEYS.get(from) ?? from.map(sourceBits).sort().join();
	SOURCES_KEYS.set(from, key);
	return key;
}

/** Each list is sorted once: there may be thousands of sources. */
const SOURCES_KEYS = new WeakMap<Sources, string>();

/** Parts that differ by their source only become one, in the place of the first of them. */
function joinSources(
	parts: readonly Part[],
): ReadonlyArray<Omit<Part, 'from'> & {readonly from?: Sources}> {
	const groups = groupBy(
		parts,
		({protocol, whole, first, last, from, on, limit, until, comment}) =>
			`${protocol} ${whole?.protocol.name} ${first} ${last} ${from === undefined} ${on} ${limit} ${until} ${comment}`,
	);
	return groups.map((group) => {
		const [{from: _, ...part}] = group;
		const from = group.flatMap((one) => one.from ?? []);
		return from.length === 0 ? part : {...part, from};
	});
}

/** The parts of an opening, one for each source and protocol. */
function splitOpening(opening: Opening): readonly Omit<Part, 'position'>[] {
	if (isDiscovery(opening)) {
		return [];
	}

	return (opening.from ?? [undefined]).flatMap((from) => splitSource(opening, from));
}

function splitSource(
	opening: PortOpening | ProtocolOpening,
	from: Source | undefined,
): readonly Omit<Part, 'position'>[] {
	if (opening.kind === 'protocol') {
		const {
			protocol: {number, families},
			on,
			comment,
			until,
		} = opening;
		const [only] = families;
		// A protocol of one family is the same as with all sources of that family.
		const bits = sourceBits(from);
		const isHalf = families.length === 1 && (from === undefined || bits.startsWith('@'));
		return [
			{
				...(number === SCTP
					? {protocol: 'sctp', first: 0, last: LAST_PORT}
					: {protocol: number, first: 0, last: 0}),
				...(from === undefined ? {} : {from}),
				...(on === undefined ? {} : {on}),
				...(comment === undefined ? {} : {comment}),
				...(until === undefined ? {} : {until}),
				...{limit: false, whole: opening, sourceBits: isHalf ? `${only}${bits}` : bits},
			},
		];
	}

	const {kind: _, protocol, from: __, ...ports} = opening;
	const part = {...ports, ...(from && {from}), sourceBits: sourceBits(from)};
	const protocols: readonly PortProtocol[] = protocol === 'both' ? ['tcp', 'udp'] : [protocol];
	return protocols.map((protocol) => ({...part, protocol}));
}

/** What parts that may become one have in common. */
function scopeOf(part: Part): string {
	const {protocol, whole, sourceBits, on, limit, first, last, until, comment} = part;
	return whole === undefined
		? `${protocol} ${sourceBits} ${on} ${limit ? `limit ${first}-${last}` : ''} ${until} ${comment}`
		: // 6in4, and protocol 41 from 0.0.0.0/0, are the same.
			`whole ${protocol} ${sourceBits} ${on} ${until} ${comment}`;
}

/** Parts that differ by their comments alone become one. */
function joinEqual(parts: readonly Part[]): readonly Part[] {
	return groupBy(
		parts,
		({protocol, first, last, sourceBits, on, limit, until}) =>
			`${protocol} ${first} ${last} ${sourceBits} ${on} ${limit} ${until}`,
	).map(withLastComment);
}

/** Of several that open the same, the first one with the comment that was written last. */
function withLastComment<T extends OpeningNotes & {readonly position: number}>(equal: Group<T>): T {
	const ordered = [...equal].sort((a, b) => a.position - b.position);
	const [first = equal[0]] = ordered;
	const commented = ordered.findLast(({comment}) => comment !== undefined) ?? first;
	return {...commented, position: first.position};
}

/** Overlapping ranges of one scope become one, in the position of the first of them. */
function joinOverlapping(parts: readonly Part[]): readonly Part[] {
	const joined: Part[] = [];
	for (const part of [...parts].sort((a, b) => a.first - b.first)) {
		const before = joined.at(-1);
		if (before !== undefined && part.first <= before.last) {
			joined[joined.length - 1] = {
				...before,
				last: Math.max(before.last, part.last),
				position: Math.min(before.position, part.position),
			};
		} else {
			joined.push(part);
		}
	}

	return joined;
}

/**
 * The parts that no other one contains. Only parts whose ranges overlap are compared, and of these only
 * those whose networks begin with the same bits: there may be thousands.
 */
function withoutContained(parts: readonly Part[]): readonly Part[] {
	const sorted = [...parts].sort((a, b) => a.first - b.first);
	const lengths = [...new Set(parts.map(({sourceBits}) => sourceBits.length))];
	const begun = new Map<string, readonly Part[]>();
	return groupBy(sorted, ({first}) => `${first}`).flatMap((group) => {
		for (const part of group) {
			const before = begun.get(part.sourceBits) ?? [];
			begun.set(part.sourceBits, [...before.filter(({last}) => last >= part.first), part]);
		}

		return group.filter(
			(part) =>
				!lengths.some((length) =>
					begun
						.get(part.sourceBits.slice(0, length))
						?.some((other) => other !== part && contains(other, part)),
				),
		);
	});
}

/** Whether `outer` opens all that `inner` does. */
function contains(outer: Part, inner: Part): boolean {
	return (
		outer.protocol === inner.protocol &&
		outer.first <= inner.first &&
		inner.last <= outer.last &&
		hasInterfaces(outer.on, inner.on) &&
		inner.sourceBits.startsWith(outer.sourceBits) &&
		(outer.until === undefined || (inner.until !== undefined && inner.until <= outer.until)) &&
		(!outer.limit || (inner.limit && sharesCounter(outer, inner)))
	);
}

/** Whether the limits of two parts of one protocol count the same connections. */
function sharesCounter(a: Part, b: Part): boolean {
	return a.first === b.first && a.last === b.last;
}
