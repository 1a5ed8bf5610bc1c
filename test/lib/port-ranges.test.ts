import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
	ALL_PORTS,
	countPorts,
	cutPorts,
	hasPort,
	intersectRanges,
	isPort,
	joinRanges,
	onePort,
	type PortRange,
	printPorts,
	rangesOverlap,
	subtractRanges,
} from '../../source/lib/port-ranges.ts';

/** Ranges so near each other that many overlap or touch. */
const ranges = fc.array(
	fc
		.tuple(fc.integer({min: 1, max: 30}), fc.integer({min: 0, max: 8}))
		.map(([first, more]): PortRange => ({first, last: first + more})),
	{maxLength: 6},
);

function portsOf(list: readonly PortRange[]): readonly number[] {
	const all = list.flatMap(({first, last}) =>
		Array.from({length: last - first + 1}, (_, index) => first + index),
	);
	return [...new Set(all)].sort((a, b) => a - b);
}

describe('joinRanges', () => {
	test('keeps the ports, ascending and apart', () => {
		fc.assert(
			fc.property(ranges, (list) => {
				const joined = joinRanges(list);
				expect(portsOf(joined)).toEqual(portsOf(list));
				expect(countPorts(joined)).toBe(portsOf(list).length);
				for (const [index, {first}] of joined.slice(1).entries()) {
					expect(first).toBeGreaterThan((joined[index]?.last ?? 0) + 1);
				}
			}),
		);
	});
});

describe('subtractRanges and intersectRanges', () => {
	test('part the ports of one list by the other', () => {
		fc.assert(
			fc.property(ranges, ranges, (list, others) => {
				const inOthers = new Set(portsOf(others));
				const without = subtractRanges(list, others);
				const within = intersectRanges(list, others);
				expect(portsOf(without)).toEqual(portsOf(list).filter((port) => !inOthers.has(port)));
				expect(portsOf(within)).toEqual(portsOf(list).filter((port) => inOthers.has(port)));
				expect([...without, ...within].every(({first, last}) => first <= last)).toBe(true);
			}),
		);
	});

	test('give ranges and nothing else of what they were given', () => {
		const named = {...onePort(22), name: 'ssh'};
		expect(subtractRanges([named], [])).toEqual([named]);
		expect(subtractRanges([named], [onePort(23)])).toEqual([onePort(22)]);
		expect(intersectRanges([named], [ALL_PORTS])).toEqual([onePort(22)]);
	});
});

describe('cutPorts', () => {
	test('holds every port once, and cuts where it is told', () => {
		fc.assert(
			fc.property(fc.array(fc.integer({min: -3, max: 70_000}), {maxLength: 8}), (starts) => {
				const cut = cutPorts(starts);
				expect(joinRanges(cut)).toEqual([ALL_PORTS]);
				expect(countPorts(cut)).toBe(countPorts([ALL_PORTS]));
				expect(cut.map(({first}) => first)).toEqual(
					[...new Set([1, ...starts.filter(isPort)])].sort((a, b) => a - b),
				);
			}),
		);
	});
});

test('rangesOverlap and hasPort agree with the ports that the ranges hold', () => {
	fc.assert(
		fc.property(ranges, fc.integer({min: 0, max: 40}), (list, port) => {
			expect(hasPort(list, port)).toBe(portsOf(list).includes(port));
			for (const one of list) {
				expect(rangesOverlap(one, onePort(port))).toBe(hasPort([one], port));
				expect(rangesOverlap(onePort(port), one)).toBe(hasPort([one], port));
			}
		}),
	);
});

test.each([
	[0, false],
	[1, true],
	[22.5, false],
	[65_535, true],
	[65_536, false],
	[Number.NaN, false],
])('isPort(%d) is %s', (number, wanted) => {
	expect(isPort(number)).toBe(wanted);
});

test('printPorts writes one port or two', () => {
	expect(printPorts(onePort(22), '-')).toBe('22');
	expect(printPorts({first: 8000, last: 8010}, ':')).toBe('8000:8010');
});
