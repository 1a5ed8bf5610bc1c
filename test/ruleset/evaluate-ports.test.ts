import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import type {PortRange} from '../../source/lib/port-ranges.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {edgesOf, fillStretches, openPorts, stretches} from '../../source/ruleset/evaluate-ports.ts';
import type {FamilyRules} from '../../source/ruleset/model.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';

const VANTAGE = {family: 4, inInterface: 'eth0', source: '203.0.113.7'} as const;

function rulesOf(openings: string): FamilyRules {
	const policy = completePolicy({role: 'server', openings: parseOpenings(openings, new Map())});
	return buildRuleSet(policy, {families: [4]}).families[0] as FamilyRules;
}

const includes = (ranges: readonly PortRange[], port: number) =>
	ranges.some(({first, last}) => first <= port && port <= last);

describe('the edges of what rules treat alike', () => {
	test('are the first and the last port of each stretch', () => {
		const rules = rulesOf('22/tcp, 8000-8010/tcp');
		const alike = stretches([rules]);
		// DHCP answers go to 68.
		expect(alike).toEqual([
			{first: 1, last: 21},
			{first: 22, last: 22},
			{first: 23, last: 67},
			{first: 68, last: 68},
			{first: 69, last: 7999},
			{first: 8000, last: 8010},
			{first: 8011, last: 65_535},
		]);
		expect(edgesOf(alike)).toEqual([
			{first: 1, last: 1},
			{first: 21, last: 23},
			{first: 67, last: 69},
			{first: 7999, last: 8000},
			{first: 8010, last: 8011},
			{first: 65_535, last: 65_535},
		]);
	});

	test('of two rule sets are those of both', () => {
		const starts = stretches([rulesOf('22/tcp'), rulesOf('80/tcp')]).map(({first}) => first);
		expect(starts).toEqual([1, 22, 23, 68, 69, 80, 81]);
	});

	test('where nothing is filtered: the first port of all, and the last', () => {
		expect(edgesOf(stretches([]))).toEqual([
			{first: 1, last: 1},
			{first: 65_535, last: 65_535},
		]);
	});

	test('of a stretch that passed at one end only nothing is taken to be true but that', () => {
		const alike = [
			{first: 1, last: 9},
			{first: 10, last: 20},
		];
		expect(
			fillStretches(alike, [
				{first: 9, last: 9},
				{first: 10, last: 10},
				{first: 20, last: 20},
			]),
		).toEqual([{first: 9, last: 20}]);
	});

	test('tell what is open as all ports do, for any policy', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
					const vantagePoint =
						rules.family === 4 ? VANTAGE : {...VANTAGE, family: 6 as const, source: '2001:db8::7'};
					const open = openPorts(rules, vantagePoint, 'tcp');
					const alike = stretches([rules]);
					const found = edgesOf(alike)
						.flatMap(({first, last}) => Array.from({length: last - first + 1}, (_, i) => first + i))
						.filter((port) => includes(open, port))
						.map((port) => ({first: port, last: port}));
					expect(fillStretches(alike, found)).toEqual(open);
				}
			}),
		);
	});
});
