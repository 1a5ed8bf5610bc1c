import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Region} from '../../source/existing/import/port-space.ts';
import {type ForeignRule, translateRules} from '../../source/existing/import/to-openings.ts';
import {contains, type Family, parseNetwork, prefixBits} from '../../source/lib/network.ts';
import type {Opening} from '../../source/policy/opening.ts';
import type {Protocol} from '../../source/policy/services.ts';
import {networksOf} from '../../source/policy/sources.ts';

/** A packet, as far as openings tell packets apart. */
type Point = {
	readonly family: Family;
	readonly protocol: Protocol;
	readonly port: number;
	readonly source: string;
	readonly on: string;
	/** What only inexact rules look at. */
	readonly special: boolean;
};

const NETWORKS = [
	...['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.2.3/32', '10.128.0.0/9'],
	...['::/0', 'fd00::/8', 'fd00:1::/16', 'fd00:1::5/128'],
];
const SOURCES = [
	...['203.0.113.7', '10.200.0.1', '10.2.0.1', '10.1.9.9', '10.1.2.9', '10.1.2.3'],
	...['2001:db8::1', 'fd11::1', 'fd00:1::6', 'fd00:1::5'],
];

const regions: fc.Arbitrary<Region> = fc
	.record({
		protocol: fc.constantFrom('tcp', 'udp'),
		ports: fc.tuple(fc.integer({min: 1, max: 8}), fc.integer({min: 0, max: 4})),
		network: fc.constantFrom(...NETWORKS),
		on: fc.option(fc.constantFrom('eth0', 'eth1'), {nil: undefined, freq: 2}),
	})
	.map(({protocol, ports: [first, more], network, on}) => ({
		protocol,
		first,
		last: first + more,
		sourceBits: prefixBits(parseNetwork(network)),
		...(on === undefined ? {} : {on}),
	}));

const rules: fc.Arbitrary<readonly ForeignRule[]> = fc
	.array(
		fc.record({
			action: fc.constantFrom('allow', 'allow', 'limit', 'deny'),
			regions: fc.array(regions, {minLength: 1, maxLength: 3}),
			inexact: fc.oneof({arbitrary: fc.constant(false), weight: 4}, fc.boolean()),
		}),
		{maxLength: 8},
	)
	.map((list) =>
		list.map(({inexact, ...rule}, index) => ({
			...rule,
			text: `rule ${index}`,
			...(inexact ? {inexact: 'it is special'} : {}),
		})),
	);

const PREFIX_BITS = new Map(SOURCES.map((source) => [source, prefixBits(parseNetwork(source))]));

const points: readonly Point[] = SOURCES.flatMap((source) =>
	['eth0', 'eth1', 'eth2'].flatMap((on) =>
		(['tcp', 'udp'] as const).flatMap((protocol) =>
			[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].flatMap((port) =>
				[false, true].map((special) => ({
					family: source.includes(':') ? (6 as const) : (4 as const),
					...{protocol, port, source, on, special},
				})),
			),
		),
	),
);

/** What the first rule that matches does: the words of the other firewall, said again without regions. */
function judge(list: readonly ForeignRule[], point: Point): 'allow' | 'limit' | 'deny' {
	const rule = list.find(
		({regions, inexact}) =>
			(inexact === undefined || point.special) &&
			regions.some(
				({protocol, first, last, sourceBits, on}) =>
					protocol === point.protocol &&
					first <= point.port &&
					point.port <= last &&
					PREFIX_BITS.get(point.source)?.startsWith(sourceBits) &&
					(on === undefined || on === point.on),
			),
	);
	return rule?.action ?? 'deny';
}

function opens(openings: readonly Opening[], point: Point): 'allow' | 'limit' | 'deny' {
	const matching = openings.filter(
		(opening) =>
			opening.kind === 'port' &&
			(opening.protocol === 'both' || opening.protocol === point.protocol) &&
			opening.first <= point.port &&
			point.port <= opening.last &&
			(opening.on === undefined || opening.on === point.on) &&
			((opening.from && networksOf(opening.from))?.some(({cidr}) => contains(cidr, point.source)) ??
				true),
	);
	if (matching.length === 0) {
		return 'deny';
	}

	return matching.every((opening) => opening.kind === 'port' && opening.limit) ? 'limit' : 'allow';
}

/** Whether a rule that does not allow is about so few addresses that openings cannot except them. */
function isException(list: readonly ForeignRule[], {source}: Point): boolean {
	return list.some(
		({action, regions}) =>
			action !== 'allow' &&
			regions.some(
				({sourceBits}) => sourceBits.length > 9 && PREFIX_BITS.get(source)?.startsWith(sourceBits),
			),
	);
}

const FREEDOM = {deny: 0, limit: 1, allow: 2} as const;

describe('the openings for the rules of another firewall', () => {
	it('let in no more but a few addresses, and exactly the same where nothing is named', () => {
		let exact = 0;
		fc.assert(
			fc.property(rules, (list) => {
				const {openings, blocked, untranslatable} = translateRules(list);
				const judged = points.map((point) => ({
					point,
					theirs: judge(list, point),
					ours: blocked.some(({cidr}) => contains(cidr, point.source))
						? ('deny' as const)
						: opens(openings, point),
				}));
				const more = judged.filter(({ours, theirs}) => FREEDOM[ours] > FREEDOM[theirs]);
				expect(more.filter(({point}) => !isException(list, point))).toEqual([]);
				if (more.length > 0) {
					expect(untranslatable[0]?.why).toMatch(/no exception for a few addresses/);
				}

				// A limit that is not exact may be followed by what lets in freely.
				if (untranslatable.length === 0 && list.every(({inexact}) => inexact === undefined)) {
					expect(judged.filter(({ours, theirs}) => ours !== theirs)).toEqual([]);
					exact += 1;
				}
			}),
			{numRuns: 300},
		);
		expect(exact).toBeGreaterThan(50);
	});

	it('offer, for what is lost, what lets it in all the same', () => {
		fc.assert(
			fc.property(rules, (list) => {
				const {openings, untranslatable} = translateRules(list);
				const all = [...openings, ...untranslatable.flatMap(({wider}) => wider ?? [])];
				const sayable = list.filter(
					({action, inexact}) => action === 'deny' || inexact === undefined,
				);
				const shut = points.filter(
					(point) =>
						!point.special && judge(sayable, point) === 'allow' && opens(all, point) === 'deny',
				);
				expect(shut).toEqual([]);
			}),
			{numRuns: 100},
		);
	});

	it('name the rules ahead that cannot be excepted', () => {
		const anywhere = (port: number): Region => ({
			protocol: 'tcp',
			first: port,
			last: port,
			sourceBits: '4',
		});
		const {openings, untranslatable} = translateRules([
			{
				text: 'deny A',
				action: 'deny',
				regions: [{...anywhere(22), sourceBits: `4${'1'.repeat(32)}`}],
			},
			{text: 'deny B', action: 'deny', regions: [{...anywhere(22), on: 'eth0'}]},
			{text: 'allow', action: 'allow', regions: [anywhere(22), anywhere(80)]},
		]);
		expect(openings).toMatchObject([{first: 80, from: [{cidr: '0.0.0.0/0'}]}]);
		expect(untranslatable).toMatchObject([
			{text: 'allow', effect: 'closes', why: expect.stringMatching(/^"deny B" stands before it/)},
		]);
	});
});
