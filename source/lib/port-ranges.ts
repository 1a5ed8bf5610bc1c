/** TCP or UDP ports from `first` to `last`, both included. */
export type PortRange = {readonly first: number; readonly last: number};

/** The highest port: TCP and UDP headers have 16 bits for one (RFC 9293 section 3.1, RFC 768). */
export const LAST_PORT = 65_535;

/** All ports that a program can listen on: bind(2) takes port 0 as "any free port" (ip(7)). */
export const ALL_PORTS: PortRange = {first: 1, last: LAST_PORT};

/** Whether a number is a port that a program can listen on. */
export function isPort(number: number): boolean {
	return Number.isInteger(number) && ALL_PORTS.first <= number && number <= ALL_PORTS.last;
}

/** The range of a single port. */
export function onePort(port: number): PortRange {
	return {first: port, last: port};
}

/** `22` for a single port, `8000-8010` for a range, with `sign` between the two. */
export function printPorts({first, last}: PortRange, sign: string): string {
	return first === last ? `${first}` : `${first}${sign}${last}`;
}

/** Whether a port is in one of the ranges. */
export function hasPort(ranges: readonly PortRange[], port: number): boolean {
	return ranges.some(({first, last}) => first <= port && port <= last);
}

/** Whether two ranges have a port in common. */
export function rangesOverlap(a: PortRange, b: PortRange): boolean {
	return a.first <= b.last && b.first <= a.last;
}

/** How many ports the ranges hold, which must not overlap. */
export function countPorts(ranges: readonly PortRange[]): number {
	return ranges.reduce((count, {first, last}) => count + last - first + 1, 0);
}

/** The same ports in ascending ranges, of which no two overlap or are adjacent. */
export function joinRanges(ranges: readonly PortRange[]): readonly PortRange[] {
	const joined: PortRange[] = [];
	for (const {first, last} of [...ranges].sort((a, b) => a.first - b.first)) {
		const before = joined.at(-1);
		if (before !== undefined && first <= before.last + 1) {
			joined[joined.length - 1] = {first: before.first, last: Math.max(before.last, last)};
		} else {
			joined.push({first, last});
		}
	}

	return joined;
}

/** The ports of `ranges` that are not in `others`, in the order of `ranges`. */
export function subtractRanges(
	ranges: readonly PortRange[],
	others: readonly PortRange[],
): readonly PortRange[] {
	return others.reduce<readonly PortRange[]>(
		(left, other) =>
			left.flatMap(({first, last}) =>
				rangesOverlap({first, last}, other)
					? [
							...(first < other.first ? [{first, last: other.first - 1}] : []),
							...(other.last < last ? [{first: other.last + 1, last}] : []),
						]
					: [{first, last}],
			),
		ranges,
	);
}

/**
 * The ports of `ranges` that are in `others` as well, in the order of `ranges`. A port that one of
 * the lists holds twice is in two of the results.
 */
export function intersectRanges(
	ranges: readonly PortRange[],
	others: readonly PortRange[],
): readonly PortRange[] {
	return ranges.flatMap((range) =>
		others
			.filter((other) => rangesOverlap(range, other))
			.map((other) => ({
				first: Math.max(range.first, other.first),
				last: Math.min(range.last, other.last),
			})),
	);
}

/**
 * All ports, cut in front of each of the given ones: cut at 22 and 23 they are 1-21, 22 and
 * 23-65535. Numbers that are no port are ignored, as are repeated ones.
 */
export function cutPorts(starts: readonly number[]): readonly PortRange[] {
	const sorted = [...new Set([ALL_PORTS.first, ...starts])].filter(isPort).sort((a, b) => a - b);
	return sorted.map((first, index) => ({first, last: (sorted[index + 1] ?? LAST_PORT + 1) - 1}));
}
