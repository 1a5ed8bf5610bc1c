import type {Policy} from '../policy/policy.ts';
import {type BuildFacts, buildRuleSet} from './build.ts';
import type {RuleSet} from './model.ts';

/**
 * A policy with the rules that do what it says. They travel as one value, so that rules are built once
 * and always belong to the policy beside them.
 */
export type CompiledPolicy = {
	readonly policy: Policy;
	readonly ruleSet: RuleSet;
	/** The same rules without what a kernel may lack. The boot loads them where it cannot load all. */
	readonly floor: RuleSet;
};

/** Builds the rules of a policy, once. */
export function compilePolicy(policy: Policy, {families}: BuildFacts): CompiledPolicy {
	const floor = floorOf(policy);
	return {
		policy,
		ruleSet: buildRuleSet(policy, {families}),
		floor: buildRuleSet(floor, {families, plain: true}),
	};
}

/** What must hold even where a match, a target or a helper is missing: it uses none that is optional. */
function floorOf(policy: Policy): Policy {
	return {
		...policy,
		helpers: [],
		log: false,
		openings: policy.openings.map((opening) =>
			opening.kind === 'port' ? {...opening, limit: false} : opening,
		),
	};
}
