import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {compareRules, describeDifference, ownRules, presenceOf} from '../../source/ruleset/diff.ts';
import type {FamilyRules} from '../../source/ruleset/model.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {FOREIGN_IPV4, OWN_IPV4} from '../_helpers/samples/samples.ts';

const own = parseSave(OWN_IPV4, 4);
const changed = (before: string | RegExp, after: string) => {
	const text = OWN_IPV4.replace(before, after);
	expect(text).not.toBe(OWN_IPV4);
	return parseSave(text, 4);
};

const describeAll = (expected: FamilyRules, actual: FamilyRules) =>
	compareRules(expected, actual).map(describeDifference);

describe('compareRules', () => {
	it('finds nothing between a rule set and itself', () => {
		fc.assert(
			fc.property(policies(), (policy) => {
				const [rules] = buildRuleSet(policy, {families: [4]}).families;
				expect(rules && compareRules(rules, structuredClone(rules))).toEqual([]);
			}),
			{numRuns: 100},
		);
	});

	it('does not care for the order of tables and chains, nor for empty ones', () => {
		const turned = {
			...own,
			tables: [...own.tables].reverse().map(({name, chains}) => ({
				name,
				chains: [...chains].reverse().filter(({rules}) => rules.length > 0),
			})),
		};
		expect(compareRules(own, turned)).toEqual([]);
		expect(compareRules(turned, own)).toEqual([]);
	});

	it.each<[string, string | RegExp, string]>([
		['a port more', '--dports 53,80,443', '--dports 53,80,443,3306'],
		['another port', '-p tcp -m tcp --dport 5432', '-p tcp -m tcp --dport 5433'],
		['another source', '-s 10.0.0.0/8', '-s 10.0.0.0/7'],
		['no source', '-s 10.0.0.0/8 -i wg0', '-i wg0'],
		['another source negated', '-s 10.0.0.0/8', '! -s 10.0.0.0/8'],
		['another interface', '-i wg0', '-i wg+'],
		['a state more', 'RELATED,ESTABLISHED', 'NEW,RELATED,ESTABLISHED'],
		['a state that we do not know', 'RELATED,ESTABLISHED', 'RELATED,ESTABLISHED,DNAT'],
		['a negated state', '--ctstate INVALID', '! --ctstate INVALID'],
		['another verdict', '-j REJECT --reject-with icmp-port-unreachable', '-j ACCEPT'],
		['another kind of reject', 'icmp-port-unreachable', 'icmp-host-prohibited'],
		['a reset of more', ' --tcp-flags FIN,SYN,RST,ACK SYN', ''],
		['a reset of the rest', '--tcp-flags FIN,SYN', '! --tcp-flags FIN,SYN'],
		['another rate', '--hashlimit-upto 6/min', '--hashlimit-upto 60/min'],
		['a rate over the limit', '--hashlimit-upto', '--hashlimit-above'],
		['a rate for all together', ' --hashlimit-mode srcip', ''],
		['another helper', '--helper Q.931', '--helper ftp'],
		['a go-to', '-A INPUT -j FW', '-A INPUT -g FW'],
		['a jump with a condition', '-A INPUT -j FW', '-A INPUT -i eth0 -j FW'],
		['no jump', '-A INPUT -j FW-WIZARD-INPUT\n', ''],
		[
			'two jumps',
			'-A INPUT -j FW-WIZARD-INPUT\n',
			'-A INPUT -j FW-WIZARD-INPUT\n-A INPUT -j FW-WIZARD-INPUT\n',
		],
		['a policy', ':INPUT ACCEPT', ':INPUT DROP'],
		['two rules in the other order', /^(.*-i lo.*\n)(.*INVALID.*\n)/m, '$2$1'],
	])('finds %s', (_, before, after) => {
		expect(compareRules(own, changed(before, after))).not.toEqual([]);
		expect(compareRules(changed(before, after), own)).not.toEqual([]);
	});

	it.each<[string, string, string]>([
		['a comment', '-i lo -j', '-i lo -m comment --comment "ours, -j DROP" -j'],
		['the older word for a state', '-m conntrack --ctstate INVALID', '-m state --state INVALID'],
		['the order of states', 'RELATED,ESTABLISHED', 'ESTABLISHED,RELATED'],
		['multiport for one port', '-m tcp --dport 5432', '-m multiport --dports 5432'],
		['the number of a protocol', '-p igmp', '-p 2'],
		['counters', ':INPUT ACCEPT [0:0]', ':INPUT ACCEPT [77:4711]'],
	])('does not mind %s', (_, before, after) => {
		expect(describeAll(own, changed(before, after))).toEqual([]);
	});

	it('names each difference in one line', () => {
		const last = '-A FW-WIZARD-INPUT -j REJECT --reject-with icmp-port-unreachable\n';
		expect(
			describeAll(
				own,
				changed(last, last.replace('REJECT --reject-with icmp-port-unreachable', 'DROP')),
			),
		).toEqual(['IPv4, rule 15 of FW-WIZARD-INPUT: is "-j DROP", should be "-j REJECT"']);
		expect(describeAll(own, changed(last, ''))).toEqual([
			'IPv4, rule 15 of FW-WIZARD-INPUT: "-j REJECT" is missing',
		]);
		expect(describeAll(changed(last, ''), own)).toEqual([
			'IPv4, rule 15 of FW-WIZARD-INPUT: "-j REJECT" should not be there',
		]);
	});
});

describe('ownRules', () => {
	it("leaves out other programs' rules, chains and policies", () => {
		const others = FOREIGN_IPV4.split('*filter\n')[1]?.split('\n') ?? [];
		const chains = others.filter((line) => line.startsWith(':') && line.includes(' - '));
		const rules = others.filter((line) => line.startsWith('-A'));
		const mixed = OWN_IPV4.replace(':FORWARD ACCEPT', ':FORWARD DROP')
			.replace('*filter\n', `*filter\n${chains.join('\n')}\n`)
			.replace('-A INPUT -j FW', `${rules.join('\n')}\n-A INPUT -j FW`);
		const saved = parseSave(mixed, 4);
		expect(compareRules(own, saved)).not.toEqual([]);
		expect(describeAll(own, ownRules(saved))).toEqual([]);
		expect(ownRules(parseSave(FOREIGN_IPV4, 4)).tables.flatMap(({chains}) => chains)).toEqual([]);
	});

	it('keeps a jump to us with a condition, which makes a difference', () => {
		const saved = changed('-A INPUT -j FW', '-A INPUT -i eth0 -j FW');
		expect(describeAll(own, ownRules(saved))).toEqual([
			'IPv4, rule 1 of INPUT: is "-i eth0 -j FW-WIZARD-INPUT", should be "-j FW-WIZARD-INPUT"',
		]);
	});
});

describe('presenceOf', () => {
	it('finds our chains and counts the jumps to each', () => {
		const {chains, jumps} = presenceOf(own);
		expect([...chains]).toEqual(['FW-WIZARD-INPUT', 'FW-WIZARD-OUTPUT', 'FW-WIZARD-PREROUTING']);
		expect(Object.fromEntries(jumps)).toEqual({
			'FW-WIZARD-INPUT': 1,
			'FW-WIZARD-OUTPUT': 1,
			'FW-WIZARD-PREROUTING': 1,
		});
	});

	it('counts none, and several', () => {
		const jump = '-A INPUT -j FW-WIZARD-INPUT\n';
		expect(presenceOf(changed(jump, '')).jumps.get('FW-WIZARD-INPUT')).toBe(0);
		expect(presenceOf(changed(jump, jump.repeat(3))).jumps.get('FW-WIZARD-INPUT')).toBe(3);
	});

	it("finds nothing among other programs' rules, nor in the rules that are not loaded", () => {
		for (const rules of [parseSave(FOREIGN_IPV4, 4), parseSave('', 4)]) {
			expect(presenceOf(rules)).toEqual({chains: new Set(), jumps: new Map()});
		}
	});

	it('finds all that a policy loads', () => {
		const [rules] = buildRuleSet(completePolicy({}), {families: [6]}).families;
		expect(rules && [...presenceOf(rules).jumps]).toEqual([['FW-WIZARD-INPUT', 1]]);
	});
});
