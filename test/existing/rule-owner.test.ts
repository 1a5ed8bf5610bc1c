import {describe, expect, test} from 'vitest';
import {planCleanup} from '../../source/existing/cleanup-plan.ts';
import {nameNeighbours} from '../../source/existing/neighbours.ts';
import {recommendCleanup} from '../../source/existing/recommend-cleanup.ts';
import {programOfRule} from '../../source/existing/rule-owner.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {KNOWN_PROGRAMS} from '../../source/services/known-programs/find.ts';
import {filterTable, PROGRAM_RULES, TYPED_RULES} from '../_helpers/samples/program-rules.ts';

function snapshot(rules: readonly string[]): RulesSnapshot {
	const text = filterTable(rules);
	return {family: 4, backend: 'nft', inUse: true, text, rules: parseSave(text, 4)};
}

const PROGRAMS = Object.entries(PROGRAM_RULES);

describe.each(PROGRAMS)('rules of %s', (name, rules) => {
	test.each(rules)('%s', (rule) => {
		expect(programOfRule(rule)?.name).toBe(name);
	});

	test('are not taken for an earlier firewall made by hand', () => {
		const there = snapshot(rules);
		const inInput = rules.filter((rule) => rule.startsWith('-A INPUT '));
		expect(recommendCleanup([there])).toEqual(
			inInput.length === 0
				? undefined
				: {mode: 'keep', reason: `They belong to ${name}, and are needed`},
		);
		const traces = {
			...{snapshots: [there], nativeTables: [], processes: new Set<string>(), tunnels: []},
			...{ufw: name === 'ufw', firewalld: false, nftables: undefined, frozen: undefined},
		};
		expect(nameNeighbours(traces).map((neighbour) => neighbour.name)).toEqual([name]);
	});

	test('are missed where they are removed', () => {
		const program = KNOWN_PROGRAMS.find((one) => one.name === name);
		for (const rule of rules.filter((one) => one.startsWith('-A INPUT '))) {
			const {breaks} = planCleanup([snapshot([rule])], 'flush-input', ['ufw']);
			expect(breaks, rule).toEqual([program?.breaks]);
		}

		for (const rule of rules) {
			const {refusal} = planCleanup([snapshot([rule])], 'flush-filter');
			expect(refusal, rule).toBe(
				program?.needsFilter
					? `The filter table is not flushed while ${name} needs its rules`
					: undefined,
			);
		}
	});
});

describe('rules that a person types', () => {
	test.each(TYPED_RULES)('%s', (rule) => {
		expect(programOfRule(rule)).toBeUndefined();
	});

	test('are kept as well, and break nothing where they are removed', () => {
		expect(recommendCleanup([snapshot(TYPED_RULES)])?.mode).toBe('keep');
		expect(planCleanup([snapshot(TYPED_RULES)], 'flush-input').breaks).toEqual([]);
	});
});

test('a rule beside others is judged by itself', () => {
	const [banned = ''] = PROGRAM_RULES.CrowdSec ?? [];
	expect(recommendCleanup([snapshot([...TYPED_RULES.slice(0, 5), banned])])).toEqual({
		mode: 'keep',
		reason: 'Rules of CrowdSec are among them, and are needed',
	});
});
