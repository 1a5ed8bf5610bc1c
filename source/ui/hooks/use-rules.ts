import {useMemo} from 'react';
import type {Family} from '../../lib/network.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {type MarkedRow, markRows, mergeFamilies} from '../../ruleset/merge-families.ts';
import type {RuleSet} from '../../ruleset/model.ts';
import {focusedPolicy} from '../state/reducer.ts';
import type {Flow} from '../state/state.ts';

export type Rules = {
	/** For what has been chosen so far. */
	readonly ruleSet: RuleSet;
	/** The same, with what the focused choice would add and remove. */
	readonly marked: readonly MarkedRow[];
};

/** The rules that the answers make, for the families that this machine has. */
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
