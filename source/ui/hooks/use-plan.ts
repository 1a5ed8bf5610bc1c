import {useMemo} from 'react';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import type {Family} from '../../lib/network.ts';
import {buildRuleSet} from '../../ruleset/build.ts';
import {type MarkedRow, markRows, mergeFamilies} from '../../ruleset/merge-families.ts';
import {focusedPolicy} from '../state/reducer.ts';
import type {Flow} from '../state/state.ts';
import type {HostView} from '../steps/step-props.ts';

type Planned = {
	/** What applying the answers would do. */
	readonly plan: ApplyPlan;
	/** The rules of the plan, with the ones that the focused choice would add and remove. */
	readonly marked: readonly MarkedRow[];
};

/** Plans the change that the answers ask for, for the address families of this machine. */
export function usePlan(flow: Flow, machine: HostView, families: readonly Family[]): Planned {
	const {policy, existing, step} = flow;
	const {planApply} = machine;
	// biome-ignore lint/correctness/useExhaustiveDependencies: each step shows the connections of its moment
	const plan = useMemo(() => planApply(policy, existing), [policy, existing, planApply, step]);
	const focused = useMemo(() => focusedPolicy(flow), [flow]);
	const rows = useMemo(() => mergeFamilies(plan.ruleSet), [plan.ruleSet]);
	const marked = useMemo(
		() =>
			markRows(rows, focused === policy ? rows : mergeFamilies(buildRuleSet(focused, {families}))),
		[rows, focused, policy, families],
	);
	return {plan, marked};
}
