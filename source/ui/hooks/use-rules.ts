import {useMemo} from 'react';
import type {Family} from '../../lib/network.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {type MarkedRow, markRows, mergeFamilies} from '../../ruleset/merge-families.ts';
import type {RuleSet} from '../../ruleset/model.ts';
import {focusedPolicy} from '../state/reducer.ts';
import type {Flow} from '../state/state.ts';

export type Rules = {
	/** The rules of the policy as it was chosen so far. */
	readonly ruleSet: RuleSet;
	/** The same rules, with the ones that the focused choice would add and remove. */
	readonly marked: readonly MarkedRow[];
};

/** Builds the rules of the chosen policy, and of the policy that the focused choice would make. */
export function useRules(flow: Flow, families: readonly Family[]): Rules {
	const ruleSet = useMemo(() => buildRuleSet(flow.policy, {families}), [flow.policy, families]);
	const focused = useMemo(() => focusedPolicy(flow), [flow]);
	const rows = useMemo(() => mergeFamilies(ruleSet), [ruleSet]);
	const marked = useMemo(
		() => markRows(rows, mergeFamilies(buildRuleSet(focused, {families}))),
		[rows, focused, families],
	);
	return {ruleSet, marked};
}
