import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {InputError} from '../../source/lib/errors.ts';
import {adviseEnds} from '../../source/policy/advise-openings.ts';
import {
	describeLeft,
	instantOf,
	isOver,
	parseFor,
	parseInstant,
	parseUntil,
} from '../../source/policy/ending.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';

const NOW = Date.parse('2026-11-29T16:30:20Z');
const merge = (text: string) => parseOpenings(text, new Map()).map(printOpening);
const local = (text: string) => instantOf(Date.parse(text));

describe('the end of an opening', () => {
	it('is read back as it was written, for every second that the kernel knows', () => {
		const seconds = fc.integer({min: 0, max: 2_147_483_646});
		fc.assert(
			fc.property(seconds, (second) => {
				const instant = instantOf(second * 1000);
				expect(parseInstant(instant)).toBe(instant);
			}),
		);
		expect(() => parseInstant(instantOf(2_147_483_647_000))).toThrow(InputError);
	});

	it.each([
		'2026-11-29',
		'2026-11-29T18:00:00',
		'2026-13-01T00:00:00Z',
		'2026-02-30T00:00:00Z',
		'soon',
	])('is no %s in a policy', (text) => {
		expect(() => parseInstant(text)).toThrow(InputError);
	});

	it.each([
		['5s', '2026-11-29T16:30:25Z'],
		['2h', '2026-11-29T18:30:20Z'],
		['1h30min', '2026-11-29T18:00:20Z'],
		['3d', '2026-12-02T16:30:20Z'],
	])('is in %s', (text, instant) => {
		expect(parseFor(text, NOW)).toBe(instant);
	});

	it.each(['', '2', 'h', '0s', '-1h', '2 hours', '2h later', '100w1', '999999w'])(
		'is not in "%s"',
		(text) => {
			expect(() => parseFor(text, NOW)).toThrow(InputError);
		},
	);

	it('is at the next such time of this machine, or on a day', () => {
		const next = Date.parse(parseUntil('18:00', NOW));
		expect(next - NOW).toBeGreaterThan(0);
		expect(next - NOW).toBeLessThanOrEqual(25 * 3_600_000);
		expect([new Date(next).getHours(), new Date(next).getMinutes()]).toEqual([18, 0]);
		expect(parseUntil('2026-12-01 18:00', NOW)).toBe(local('2026-12-01T18:00'));
		expect(parseUntil('2026-12-01T18:00:05Z', NOW)).toBe('2026-12-01T18:00:05Z');
	});

	it.each(['2026-11-29T16:30Z', '25:00', '18:60', '18', '2040-01-01 00:00', 'tomorrow'])(
		'is not at %s',
		(text) => {
			expect(() => parseUntil(text, NOW)).toThrow(InputError);
		},
	);

	it('comes after its last second, as in the kernel', () => {
		const until = '2026-11-29T16:30:20Z';
		expect(isOver({until}, NOW + 999)).toBe(false);
		expect(isOver({until}, NOW + 1000)).toBe(true);
		expect(isOver({}, NOW)).toBe(false);
	});

	it.each([
		['2026-11-29T16:30:20Z', 'over'],
		['2026-11-29T16:30:50Z', 'in 30 s'],
		['2026-11-29T16:35:20Z', 'in 5 min'],
		['2026-11-29T18:29:20Z', 'in 1 h 59 min'],
		['2026-12-03T18:29:20Z', 'in 4 days'],
	])('at %s is %s', (until, left) => {
		expect(describeLeft(until, NOW)).toBe(left);
	});

	it.each([
		['80/tcp until 2026-11-29T18:00:00Z', ['80/tcp until 2026-11-29T18:00:00Z']],
		['80/tcp until 2026-11-29T18:00:00Z, 80/tcp', ['80/tcp']],
		[
			'80-90/tcp until 2026-11-29T18:00:00Z, 80/tcp',
			['80-90/tcp until 2026-11-29T18:00:00Z', '80/tcp'],
		],
		[
			'80/tcp until 2026-11-29T18:00:00Z, 80/tcp until 2026-11-29T19:00:00Z comment "x"',
			['80/tcp until 2026-11-29T19:00:00Z comment "x"'],
		],
		['80 until 2026-11-29T18:00:00Z', ['80 until 2026-11-29T18:00:00Z']],
	])('of %s makes %j', (text, openings) => {
		expect(merge(text)).toEqual(openings);
	});

	it('is none of what finds devices', () => {
		expect(() => merge('mdns until 2026-11-29T18:00:00Z')).toThrow(InputError);
	});
});

describe('adviseEnds', () => {
	it.each([
		['22/tcp until 2030-01-01T00:00:00Z', 1],
		['22/tcp until 2030-01-01T00:00:00Z, 20-30/tcp', 0],
		['80/tcp until 2030-01-01T00:00:00Z', 0],
		['22/tcp', 0],
	])('of %s warns %i times of a login that ends', (text, count) => {
		expect(adviseEnds(parseOpenings(text, new Map()), [22])).toHaveLength(count);
	});
});
