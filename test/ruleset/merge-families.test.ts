import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy, type PolicyPart} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRule} from '../../source/ruleset/format-iptables.ts';
import {
	type MarkedRow,
	markRows,
	mergeFamilies,
	type Row,
} from '../../source/ruleset/merge-families.ts';
import {findChain, OWN_CHAINS} from '../../source/ruleset/model.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';

const ruleSetOf = (part: PolicyPart) => buildRuleSet(completePolicy(part), {families: FAMILIES});
const rowsOf = (...texts: readonly string[]) =>
	mergeFamilies(ruleSetOf({openings: texts.flatMap((text) => parseOpening(text, new Map()))}));
const show = ({families, text}: Row) => `${families.join('+')} ${text}`;
const keyOf = (row: Row) => `${row.own.name} ${show(row)}`;

describe('mergeFamilies', () => {
	it('shows a rule of both families once, and those of one where they stand', () => {
		expect(rowsOf('22/tcp', '80/tcp from 10.0.0.0/8').map(show)).toEqual([
			'4+6 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
			'4 -p icmp -j ACCEPT',
			'6 -p ipv6-icmp -j ACCEPT',
			'4+6 -i lo -j ACCEPT',
			'4+6 -m conntrack --ctstate INVALID -j DROP',
			'4 -p udp --sport 67 --dport 68 -j ACCEPT',
			'6 -d fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT',
			'4+6 -p tcp --dport 22 -j ACCEPT',
			'4 -s 10.0.0.0/8 -p tcp --dport 80 -j ACCEPT',
			'4+6 -j REJECT',
		]);
	});

	it('keeps every rule of each family, in its order', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				const ruleSet = ruleSetOf(policy);
				const rows = mergeFamilies(ruleSet);
				for (const rules of ruleSet.families) {
					for (const own of OWN_CHAINS) {
						const shown = rows.filter(
							(row) => row.own === own && row.families.includes(rules.family),
						);
						expect(shown.map(({text}) => text)).toEqual(
							(findChain(rules, own.table, own.name)?.rules ?? []).map((rule) =>
								printRule(rule, rules.family),
							),
						);
					}
				}
			}),
			{numRuns: 150},
		);
	});
});

describe('markRows', () => {
	it('marks what a choice adds and what it takes away', () => {
		const marked = markRows(rowsOf('22/tcp'), rowsOf('22/tcp', '53/udp'));
		const changed = marked.filter(({mark}) => mark !== 'same');
		expect(changed.map((row) => `${row.mark} ${show(row)}`)).toEqual([
			'added 4+6 -p udp --dport 53 -j ACCEPT',
		]);
		expect(
			markRows(rowsOf('22/tcp'), rowsOf()).filter(({mark}) => mark === 'removed'),
		).toHaveLength(1);
	});

	it('loses no row of either list, and keeps the order of both', () => {
		fc.assert(
			fc.property(policies(), policies(), (one, other) => {
				const [before, after] = [one, other].map((policy) => mergeFamilies(ruleSetOf(policy)));
				const marked = markRows(before ?? [], after ?? []);
				const without = (mark: MarkedRow['mark']) =>
					marked.filter((row) => row.mark !== mark).map(keyOf);
				expect(without('added')).toEqual(before?.map(keyOf));
				expect(without('removed')).toEqual(after?.map(keyOf));
			}),
			{numRuns: 150},
		);
	});

	it('marks nothing where nothing changes', () => {
		const rows = rowsOf('22/tcp', 'mdns');
		expect(markRows(rows, rows).every(({mark}) => mark === 'same')).toBe(true);
	});
});
