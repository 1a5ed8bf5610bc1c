import {networkOfBits} from '../../lib/network.ts';
import {
	intersectRanges,
	type PortRange,
	rangesOverlap,
	subtractRanges,
} from '../../lib/port-ranges.ts';
import type {PortOpening} from '../../policy/opening.ts';
import type {Protocol} from '../../policy/services.ts';

/** A part of what can come in, as far as openings can tell it apart: one protocol, one family. */
export type Region = PortRange & {
	readonly protocol: Protocol;
	/** Where it comes from, in the form of `reachOf`: the family, then the fixed bits. */
	readonly reach: string;
	/** Absent: on any interface. */
	readonly on?: string;
};

/** So many networks at most may stand for one with a hole in it: more of them nobody can read. */
const MOST_NETWORKS = 8;

/** What is left of a region, and whether some of it is lost that should have been left. */
export type Remainder = {readonly left: readonly Region[]; readonly lost: boolean};

/**
 * What of `region` is not in `other`, as regions. Where it cannot be said in them (all interfaces but
 * one, all addresses but a few) it is left out, and `lost` says so: never too much.
 */
export function subtractRegion(region: Region, other: Region): Remainder {
	if (!meet(region, other)) {
		return {left: [region], lost: false};
	}

	const beside = subtractRanges([region], [other]).map((range) => ({...region, ...range}));
	const [shared] = intersectRanges([region], [other]);
	const both = {...region, ...shared};
	const around = networksAround(region.reach, other.reach);
	const outside =
		around.length > MOST_NETWORKS ? [] : around.map((reach): Region => ({...both, reach}));
	return {
		left: [...beside, ...outside],
		lost: around.length > MOST_NETWORKS || (other.on !== undefined && region.on === undefined),
	};
}

/** Whether something is in both regions. */
export function meet(a: Region, b: Region): boolean {
	return (
		a.protocol === b.protocol &&
		rangesOverlap(a, b) &&
		(a.reach.startsWith(b.reach) || b.reach.startsWith(a.reach)) &&
		(a.on === undefined || b.on === undefined || a.on === b.on)
	);
}

/** The networks that make up `outer` without `inner`; none where `inner` is all of it. */
function networksAround(outer: string, inner: string): readonly string[] {
	return Array.from({length: Math.max(0, inner.length - outer.length)}, (_, index) => {
		const end = outer.length + index;
		return `${inner.slice(0, end)}${inner[end] === '0' ? '1' : '0'}`;
	});
}

/**
 * The openings that let in these regions: those that are the same for all addresses of both families
 * without a source, the others from a network, or from all addresses of one family.
 */
export function openRegions(regions: readonly Region[], limit: boolean): readonly PortOpening[] {
	return regions.flatMap((region): readonly PortOpening[] => {
		const opening = ({first, last}: PortRange): PortOpening => ({
			kind: 'port',
			protocol: region.protocol,
			first,
			last,
			...(region.on === undefined ? {} : {on: region.on}),
			limit,
		});
		if (region.reach.length > 1) {
			return [{...opening(region), from: networkOfBits(region.reach)}];
		}

		const twins = regions.filter(
			({reach, protocol, on}) =>
				reach.length === 1 &&
				reach !== region.reach &&
				protocol === region.protocol &&
				on === region.on,
		);
		const single = subtractRanges([region], twins);
		return [
			...subtractRanges([region], single).map(opening),
			...single.map((range) => ({...opening(range), from: networkOfBits(region.reach)})),
		];
	});
}
