import {familiesHere, servicesHere} from '../host/machine/host-facts.ts';
import {compilePolicy} from '../ruleset/build.ts';
import {printRuleSet, type RuleSetFormat} from '../ruleset/print-rule-set.ts';
import type {ExistingFlags} from './options/existing.ts';
import {appliedPolicyUnlessFlags, type PolicyFlags} from './options/policy.ts';
import {readRequest} from './options/request.ts';

type RulesFlags = PolicyFlags &
	Pick<ExistingFlags, 'switchOff'> & {readonly format?: RuleSetFormat; readonly json?: boolean};

/** `fw-wizard rules`: prints the rule set of a policy. Touches nothing and needs no right. */
export async function printRules(flags: RulesFlags): Promise<string> {
	const format = flags.json ? 'json' : (flags.format ?? 'restore');
	const services = servicesHere();
	// An ordinary user may not read the policy that was applied last, and must name one.
	const applied = flags.switchOff ? undefined : appliedPolicyUnlessFlags(flags, services);
	const policy = applied ?? (await readRequest(flags, services)).policy;
	return printRuleSet(compilePolicy(policy, {families: familiesHere()}), format);
}
