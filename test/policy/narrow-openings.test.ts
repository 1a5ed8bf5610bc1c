import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {contains} from '../../source/lib/network.ts';
import {isInterface} from '../../source/policy/interface-pattern.ts';
import {mergeOpenings} from '../../source/policy/merge-openings.ts';
import {addOpenings} from '../../source/policy/narrow-openings.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {covers} from '../../source/policy/port-openings.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {networksOf} from '../../source/policy/sources.ts';

function read(text: string) {
	return parseOpenings(text, OWN_SERVICES);
}

function print(openings: ReturnType<typeof read>) {
	return openings.map(printOpening).join('; ');
}

describe('what is open already is narrowed', () => {
	test.each([
		['22/tcp', '22/tcp limit', '22/tcp limit'],
		['22/tcp, 80/tcp', 'ssh from 10.0.0.0/8', '22/tcp from 10.0.0.0/8; 80/tcp'],
		['22/tcp', '22/tcp on wg0', '22/tcp on wg0'],
		['22/tcp', '22/tcp from 10.0.0.0/8, 2001:db8::/32', '22/tcp from 10.0.0.0/8, 2001:db8::/32'],
		['53', '53/tcp from 10.0.0.0/8', '53/tcp from 10.0.0.0/8; 53/udp'],
		['53', '53 from 10.0.0.0/8', '53 from 10.0.0.0/8'],
		['20-30/tcp', '22/tcp limit', '22/tcp limit; 20-21/tcp; 23-30/tcp'],
		['22/tcp from 10.0.0.0/8', '22/tcp from 10.1.0.0/16', '22/tcp from 10.1.0.0/16'],
		['22/tcp from 10.0.0.0/8', '22/tcp from 10.0.0.0/8 limit', '22/tcp from 10.0.0.0/8 limit'],
		['22/tcp on wg+', '22/tcp on wg0', '22/tcp on wg0'],
		// Sources that have nothing to do with it stay.
		[
			'22/tcp from 10.0.0.0/8, 192.0.2.0/24',
			'22/tcp from 10.1.0.0/16',
			'22/tcp from 10.1.0.0/16, 192.0.2.0/24',
		],
		// A limit for all would leave open to all what is meant for one network.
		['22/tcp limit', '22/tcp from 10.0.0.0/8', '22/tcp from 10.0.0.0/8'],
		['esp', 'esp from 192.0.2.1', 'esp from 192.0.2.1'],
		['mdns', 'mdns on eth0', 'mdns on eth0'],
	])('%s and %s: %s', (before, added, after) => {
		const found = addOpenings(read(before), read(added));
		expect(print(found.openings)).toBe(after);
		expect(found).toMatchObject({narrower: read(added), fresh: [], idle: []});
	});

	test.each([
		['22/tcp', '22/tcp limit', '22/tcp'],
		['20-30/tcp, 80/tcp', '22/tcp limit, 80/tcp from 10.0.0.0/8', '22/tcp; 80/tcp'],
		['53', '53/tcp on wg0', '53/tcp'],
		['mdns', 'mdns on eth0', 'mdns'],
		['22/tcp from 10.0.0.0/8', '22/tcp from 192.0.2.1', ''],
	])('of %s, %s narrows %s', (before, added, narrowed) => {
		expect(print(addOpenings(read(before), read(added)).narrowed)).toBe(narrowed);
	});
});

describe('what is for others is added', () => {
	test.each([
		['22/tcp from 10.0.0.0/8', '22/tcp from 192.0.2.0/24', '22/tcp from 10.0.0.0/8, 192.0.2.0/24'],
		['22/tcp on eth0', '22/tcp on wg0', '22/tcp on eth0; 22/tcp on wg0'],
		['22/tcp from 10.0.0.0/8', '22/tcp limit', '22/tcp from 10.0.0.0/8; 22/tcp limit'],
		['22/tcp from 10.0.0.0/8', '22/tcp', '22/tcp'],
		['22/tcp limit', '22/tcp', '22/tcp'],
		['22/tcp', '443/tcp', '22/tcp; 443/tcp'],
		['22/tcp', '22/udp from 10.0.0.0/8', '22/tcp; 22/udp from 10.0.0.0/8'],
		// It outlasts the other one, which stays for all until then.
		[
			'22/tcp until 2037-01-01T00:00:00Z',
			'22/tcp from 10.0.0.0/8',
			'22/tcp until 2037-01-01T00:00:00Z; 22/tcp from 10.0.0.0/8',
		],
		['22/tcp', '20-30/tcp from 10.0.0.0/8', '22/tcp; 20-30/tcp from 10.0.0.0/8'],
	])('%s and %s: %s', (before, added, after) => {
		const found = addOpenings(read(before), read(added));
		expect(print(found.openings)).toBe(after);
		expect(found).toMatchObject({narrower: [], fresh: read(added), idle: []});
	});
});

test.each([
	['22/tcp', '22/tcp'],
	['22/tcp from 10.0.0.0/8, 192.0.2.0/24', '22/tcp from 10.0.0.0/8'],
	['20-30/tcp', '22/tcp'],
	['53', '53/udp'],
	// What is open without an end must not end because somebody opens it for a while.
	['22/tcp', '22/tcp from 10.0.0.0/8 until 2037-01-01T00:00:00Z'],
])('%s: %s changes nothing', (before, added) => {
	const found = addOpenings(read(before), read(added));
	expect(found).toMatchObject({openings: read(before), narrower: [], fresh: [], idle: read(added)});
});

const anyOpening = fc
	.record({
		ports: fc.constantFrom('22/tcp', '22', '20-30/tcp', '25/udp', 'esp'),
		from: fc.constantFrom(
			'',
			' from 10.0.0.0/8',
			' from 10.1.0.0/16',
			' from 192.0.2.1',
			' from 10.2.0.0/16, 192.0.2.0/24',
		),
		on: fc.constantFrom('', ' on eth0', ' on eth+'),
		limit: fc.constantFrom('', ' limit'),
	})
	.map(({ports, from, on, limit}) => read(`${ports}${from}${on}${ports === 'esp' ? '' : limit}`));
const anyOpenings = fc
	.array(anyOpening, {minLength: 1, maxLength: 4})
	.map((all) => mergeOpenings(all.flat()));

/** Packets to the ports, from the sources and on the interfaces that the openings above name. */
const PACKETS = (['tcp', 'udp'] as const).flatMap((protocol) =>
	[21, 22, 25].flatMap((port) =>
		['10.1.0.1', '10.2.0.1', '10.9.0.1', '192.0.2.1', '192.0.2.9', '198.51.100.1'].flatMap(
			(source) => ['eth0', 'eth1', 'wg0'].map((on) => ({protocol, port, source, on})),
		),
	),
);

/** The packets that openings let pass, whatever their limits. */
function passing(openings: ReturnType<typeof read>) {
	return PACKETS.filter(({protocol, port, source, on}) =>
		openings.some(
			(opening) =>
				opening.kind === 'port' &&
				covers(opening, {protocol, port}) &&
				(opening.on === undefined || isInterface(opening.on, on)) &&
				((opening.from && networksOf(opening.from))?.some(({cidr}) => contains(cidr, source)) ??
					true),
		),
	);
}

test('all that was added is open then, and nothing that was not open before or added', () => {
	fc.assert(
		fc.property(anyOpenings, anyOpenings, (before, added) => {
			const then = passing(addOpenings(before, added).openings);
			expect(then).toEqual(expect.arrayContaining(passing(added)));
			expect(passing([...before, ...added])).toEqual(expect.arrayContaining(then));
		}),
		{numRuns: 300},
	);
});

test('the order of what is added does not matter', () => {
	const sorted = (openings: ReturnType<typeof read>) =>
		openings
			.flatMap((opening) =>
				'from' in opening
					? (opening.from ?? []).map((network) => ({...opening, from: [network]}))
					: [opening],
			)
			.map(printOpening)
			.sort();
	expect(
		print(
			addOpenings(read('20-30/tcp'), read('20-25/tcp limit, 23-28/tcp from 10.0.0.0/8')).openings,
		),
	).toBe('20-25/tcp limit; 23-28/tcp from 10.0.0.0/8; 29-30/tcp');
	fc.assert(
		fc.property(anyOpenings, anyOpenings, (before, added) => {
			const there = addOpenings(before, added).openings;
			const back = addOpenings([...before].reverse(), [...added].reverse()).openings;
			expect(sorted(back)).toEqual(sorted(there));
		}),
		{numRuns: 300},
	);
});
