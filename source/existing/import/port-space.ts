import {networkOfBits} from '../../lib/network.ts';
import {
	intersectRanges,
	type PortRange,
	rangesOverlap,
	subtractRanges,
} from '../../lib/port-ranges.ts';
import type {PortOpening} from '../../policy/opening.ts';
import type {Protocol} from '../../policy/services.ts';

/** A set of packets that openings can tell from others: of one protocol and one family. */
export type Region = PortRange & {
	readonly protocol: Protocol;
	/** The network of the source in the form of `prefixBits`, where one digit is a whole family. */
	readonly sourceBits: string;
	/** Absent: on any interface. */
	readonly on?: string;
};

/** How many networks may replace one network with an exception. More of them would be unreadable. */
const MOST_NETWORKS = 8;

/** What is left of a region, and whether openings cannot express it. */
type Remainder = {
	readonly left: readonly Region[];
	/** All interfaces but one: nothing is left where something should be. */
	readonly lost: boolean;
	/** All addresses but a few: these are left as well. */
	readonly narrow: boolean;
};

/**
 * The part of `region` that is not in `other`. Openings cannot express all interfaces but one: then the
 * result is too little. An exception of less than 1/256 of the addresses, as the ban of one address, is
 * not made: the alternative is that it closes the port for everybody.
 */
export function subtractRegion(region: Region, other: Region): Remainder {
	const whole = {left: [region], lost: false, narrow: false};
	if (!meet(region, other)) {
		return whole;
	}

	const beside = subtractRanges([region], [other]).map((range) => ({...region, ...range}));
	const [shared] = intersectRanges([region], [other]);
	const both = {...region, ...shared};
	const around = networksAround(region.sourceBits, other.sourceBits);
	return around.length > MOST_NETWORKS
		? {...whole, narrow: true}
		: {
				left: [...beside, ...around.map((sourceBits): Region => ({...both, sourceBits}))],
				lost: other.on !== undefined && region.on === undefined,
				narrow: false,
			};
}

/** Whether two regions have packets in common. */
export function meet(a: Region, b: Region): boolean {
	return (
		a.protocol === b.protocol &&
		rangesOverlap(a, b) &&
		(a.sourceBits.startsWith(b.sourceBits) || b.sourceBits.startsWith(a.sourceBits)) &&
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
 * The openings that open these regions. Ports that are open to all addresses of both families get an
 * opening without a source, the others one from a network, or from all addresses of one family.
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
		if (region.sourceBits.length > 1) {
			return [{...opening(region), from: [networkOfBits(region.sourceBits)]}];
		}

		const otherFamily = regions.filter(
			({sourceBits, protocol, on}) =>
				sourceBits.length === 1 &&
				sourceBits !== region.sourceBits &&
				protocol === region.protocol &&
				on === region.on,
		);
		const single = subtractRanges([region], otherFamily);
		return [
			...subtractRanges([region], single).map(opening),
			...single.map((range) => ({...opening(range), from: [networkOfBits(region.sourceBits)]})),
		];
	});
}
