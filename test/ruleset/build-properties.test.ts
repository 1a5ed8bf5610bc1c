import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import type {Chain, FamilyRules, Rule} from '../../source/ruleset/model.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';

const built = policies().map((policy) => ({policy, ...buildRuleSet(policy, {families: FAMILIES})}));

function chainsOf({tables}: FamilyRules): readonly Chain[] {
	return tables.flatMap(({chains}) => chains);
}

function rulesOf(rules: FamilyRules): readonly Rule[] {
	return chainsOf(rules).flatMap((chain) => chain.rules);
}

function check(property: (rules: FamilyRules, policy: Parameters<typeof buildRuleSet>[0]) => void) {
	fc.assert(
		fc.property(built, ({policy, families}) => {
			for (const rules of families) {
				property(rules, policy);
			}
		}),
		{numRuns: 400},
	);
}

describe('the rule set of any policy', () => {
	it('has just the families that the machine has', () => {
		const policy = completePolicy({role: 'server'});
		for (const families of [[], [4], [6], [4, 6]] as const) {
			expect(buildRuleSet(policy, {families}).families.map(({family}) => family)).toEqual(families);
		}
	});

	it('lives in chains of our own, each with one jump to it, filter first', () => {
		check((rules) => {
			const chains = chainsOf(rules).map(({name, rules}) => `${name} ${rules.length}`);
			const jumps = chainsOf(rules)
				.filter(({policy}) => policy !== undefined)
				.map(({name, policy, rules}) => [name, policy, rules.map(({target}) => target)]);
			expect(rules.tables.map(({name}) => name)).toEqual(
				['filter', 'raw', 'mangle'].filter((table) =>
					rules.tables.some(({name}) => name === table),
				),
			);
			expect(jumps).toEqual(
				['INPUT', 'OUTPUT', 'PREROUTING', 'FORWARD']
					.filter((name) => chains.some((own) => own.startsWith(`FW-WIZARD-${name} `)))
					.map((name) => [name, 'ACCEPT', [{kind: 'chain', name: `FW-WIZARD-${name}`}]]),
			);
			expect(chains).not.toContain(expect.stringMatching(/ 0$/));
		});
	});

	it('never asks one rule for more ports than multiport takes', () => {
		check((rules) => {
			for (const {match} of rulesOf(rules)) {
				const weights = (match.destinationPorts ?? []).map(({first, last}) =>
					first === last ? 1 : 2,
				);
				expect(weights.reduce((sum: number, weight) => sum + weight, 0)).toBeLessThanOrEqual(15);
			}
		});
	});

	it('fills each of those rules before it begins the next', () => {
		const texts = Array.from({length: 47}, (_, index) => `${1000 + index * 10}/tcp`);
		const ranges = Array.from(
			{length: 10},
			(_, index) => `${100 + index * 10}-${105 + index * 10}/tcp`,
		);
		const open = (list: readonly string[]) => {
			const openings = list.flatMap((text) => parseOpening(text, new Map()));
			const [rules] = buildRuleSet(completePolicy({openings}), {families: [4]}).families;
			return (rules ? rulesOf(rules) : [])
				.filter(({reason}) => reason?.part === 'opening')
				.map(({match}) => match.destinationPorts?.length);
		};
		expect(open(texts)).toEqual([15, 15, 15, 2]);
		expect(open(ranges)).toEqual([7, 3]);
		expect(open([...ranges.slice(0, 7), ...texts.slice(0, 2)])).toEqual([8, 1]);
	});

	it('names each rate limit in at most 15 characters, the same name for the same port alone', () => {
		check((rules) => {
			for (const {match} of rulesOf(rules).filter(({match}) => match.hashlimit)) {
				const [range] = match.destinationPorts ?? [match.originalPorts];
				const ports =
					range?.first === range?.last ? range?.first : `${range?.first}-${range?.last}`;
				expect(match.hashlimit?.name).toBe(`fw${match.protocol?.[0]}${ports}`);
				expect(match.hashlimit?.name.length).toBeLessThanOrEqual(15);
			}
		});
	});

	it('gives every rule its reason, and names ports only with a protocol', () => {
		check((rules) => {
			for (const {match, reason} of rulesOf(rules)) {
				expect(reason?.text).toMatch(/^[A-Z].{8,}$/);
				const ports = match.destinationPorts ?? match.sourcePorts ?? match.originalPorts;
				expect(ports === undefined || ['tcp', 'udp', 'sctp'].includes(match.protocol ?? '')).toBe(
					true,
				);
			}
		});
	});

	it('logs just before the verdict, and resets by nothing but --syn', () => {
		check((rules, {log}) => {
			const input = chainsOf(rules).find(({name}) => name === 'FW-WIZARD-INPUT')?.rules ?? [];
			const kinds = input.map(({reason}) => reason?.part);
			expect(kinds.filter((part) => part === 'log')).toHaveLength(log ? 1 : 0);
			expect(kinds.at(kinds.indexOf('verdict') - 1) === 'log').toBe(log);
			for (const {match, target} of input) {
				if (target.kind === 'REJECT' && target.with === 'tcp-reset') {
					expect(match).toEqual({protocol: 'tcp', syn: true});
				}
			}
		});
	});

	it('says nothing of the other family', () => {
		check((rules) => {
			for (const {match} of rulesOf(rules)) {
				for (const cidr of [match.source, match.destination]) {
					expect(cidr === undefined || cidr.includes(':') === (rules.family === 6)).toBe(true);
				}
			}
		});
	});
});
