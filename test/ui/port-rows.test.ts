import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, defaultPolicy, type Policy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRule} from '../../source/ruleset/format-iptables.ts';
import {
	type MarkedRow,
	markRows,
	mergeFamilies,
	type Row,
} from '../../source/ruleset/merge-families.ts';
import {findChain, OWN_CHAINS, ownChains, type RuleSet} from '../../source/ruleset/model.ts';
import {crowdedOpenings, openings, policies} from '../_helpers/samples/arbitraries.ts';

const families = fc.constantFrom<ReadonlyArray<4 | 6>>([4, 6], [4]);
/** Policies of which the second is often only a step away from the first. */
const changes: fc.Arbitrary<readonly [Policy, Policy]> = fc.oneof(
	fc.tuple(policies(), policies()),
	fc
		.tuple(policies(), fc.oneof(openings(), crowdedOpenings))
		.map(
			([policy, opening]) =>
				[policy, completePolicy({openings: [...policy.openings, opening]}, policy)] as const,
		),
	fc
		.tuple(policies(), fc.nat(30))
		.map(
			([policy, index]) =>
				[
					policy,
					{...policy, openings: policy.openings.filter((_, place) => place !== index)},
				] as const,
		),
	fc
		.tuple(policies(), policies())
		.map(([policy, {verdict, log}]) => [policy, {...policy, verdict, log}] as const),
);

describe('mergeFamilies', () => {
	test('has each rule of each family once, in its order', () => {
		fc.assert(
			fc.property(policies(), families, (policy, present) => {
				const ruleSet = buildRuleSet(policy, {families: present});
				const rows = mergeFamilies(ruleSet);
				for (const family of FAMILIES) {
					expect(linesOf(rows, family)).toEqual(linesOfRules(ruleSet, family));
				}
			}),
		);
	});

	test('shows a rule that both families have in one row, where their orders agree', () => {
		const rows = mergeFamilies(
			buildRuleSet({...defaultPolicy('server'), helpers: ['ftp', 'irc']}, {families: [4, 6]}),
		);
		const text = rows.map((row) => `${row.families.join('')} ${row.own.table} ${row.text}`);
		expect(text).toEqual([
			'46 raw -p tcp --dport 21 -j CT --helper ftp',
			'4 raw -p tcp --dport 6667 -j CT --helper irc',
			'46 filter -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
			'4 filter -p icmp -j ACCEPT',
			'6 filter -p ipv6-icmp -j ACCEPT',
			'46 filter -i lo -j ACCEPT',
			'46 filter -m conntrack --ctstate INVALID -j DROP',
			'4 filter -p udp --sport 67 --dport 68 -j ACCEPT',
			'6 filter -d fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT',
			'46 filter -p tcp --dport 22 -j ACCEPT',
			'46 filter -j REJECT',
		]);
	});
});

describe('markRows', () => {
	test('the rows that stay and come are the new rules in their order, those that stay and go the old', () => {
		fc.assert(
			fc.property(changes, families, ([from, to], present) => {
				const [before, after] = [from, to].map((policy) =>
					mergeFamilies(buildRuleSet(policy, {families: present})),
				) as [readonly Row[], readonly Row[]];
				const marked = markRows(before, after);
				expect(without(marked, 'removed')).toEqual(after);
				expect(without(marked, 'added').map(words)).toEqual(before.map(words));
			}),
		);
	});

	test('nothing is marked where nothing changes', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				const rows = mergeFamilies(buildRuleSet(policy, {families: [4, 6]}));
				expect(markRows(rows, rows).every(({mark}) => mark === 'same')).toBe(true);
			}),
		);
	});

	test.each([
		['one opening more', '53/udp', ['+ -p udp --dport 53 -j ACCEPT']],
		[
			'one that joins another rule',
			'443/tcp',
			['- -p tcp --dport 22 -j ACCEPT', '+ -p tcp -m multiport --dports 22,443 -j ACCEPT'],
		],
	])('marks no more than what changes: %s', (_, text, wanted) => {
		const before = defaultPolicy('server');
		const after = completePolicy(
			{openings: [...before.openings, ...parseOpenings(text, OWN_SERVICES)]},
			before,
		);
		const [old, now] = [before, after].map((policy) =>
			mergeFamilies(buildRuleSet(policy, {families: [4, 6]})),
		);
		const changed = markRows(old ?? [], now ?? []).filter(({mark}) => mark !== 'same');
		expect(changed.map(({mark, text}) => `${mark === 'added' ? '+' : '-'} ${text}`)).toEqual(
			wanted,
		);
	});
});

function without(rows: readonly MarkedRow[], unwanted: MarkedRow['mark']): readonly Row[] {
	return rows.filter(({mark}) => mark !== unwanted).map(({mark: _, ...row}) => row);
}

function words({families, own, text}: Row): string {
	return `${families.join('')} ${own.name} ${text}`;
}

function linesOf(rows: readonly Row[], family: 4 | 6): readonly string[] {
	return rows
		.filter((row) => row.families.includes(family))
		.map((row) => `${row.own.name} ${row.text}`);
}

/** In the order in which packets pass them. */
const TABLES = ['raw', 'mangle', 'filter'];

function linesOfRules({families: all}: RuleSet, family: 4 | 6): readonly string[] {
	const rules = all.find((candidate) => candidate.family === family);
	return rules === undefined
		? []
		: [...OWN_CHAINS.filter(({table}) => table === 'raw').reverse(), ...ownChains(rules)]
				.filter((own, index, all) => all.findIndex(({name}) => name === own.name) === index)
				.sort((a, b) => TABLES.indexOf(a.table) - TABLES.indexOf(b.table))
				.flatMap((own) =>
					(findChain(rules, own.table, own.name)?.rules ?? []).map(
						(rule) => `${own.name} ${printRule(rule, family)}`,
					),
				);
}
