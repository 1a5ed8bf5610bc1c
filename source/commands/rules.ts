import {familiesHere, servicesHere} from '../host/machine/facts-sync.ts';
import {HELPERS} from '../policy/helpers.ts';
import {policyToJson} from '../policy/policy.ts';
import {type CompiledPolicy, compilePolicy} from '../ruleset/build.ts';
import {printCommands, printRestoreFiles, printRule} from '../ruleset/format-iptables.ts';
import {type ExistingFlags, readExisting} from './options/existing.ts';
import {importOpenings} from './options/imported-openings.ts';
import {appliedPolicyUnlessFlags, type PolicyFlags, readPolicy} from './options/policy.ts';
import type {Format} from './options/words.ts';

export type RulesFlags = PolicyFlags &
	Pick<ExistingFlags, 'switchOff'> & {readonly format?: Format; readonly json?: boolean};

/** `fw-wizard rules`: prints the rule set of a policy. Touches nothing and needs no right. */
export async function printRules(flags: RulesFlags): Promise<string> {
	const format = flags.json ? 'json' : (flags.format ?? 'restore');
	const existing = readExisting(flags);
	const services = servicesHere();
	// Whoever may not read what was applied is asked for a policy.
	const applied =
		existing.switchOff.length > 0 ? undefined : appliedPolicyUnlessFlags(flags, services);
	const policy = applied ?? readPolicy(flags, services, await importOpenings(flags, existing));
	return printRuleSet(compilePolicy(policy, {families: familiesHere()}), format);
}

/** A rule set as files of iptables-restore, as commands or as JSON. */
export function printRuleSet(compiled: CompiledPolicy, format: Format): string {
	switch (format) {
		case 'restore':
			return printRestoreFiles(compiled.ruleSet);
		case 'commands':
			return printAllCommands(compiled);
		case 'json':
			return `${JSON.stringify(ruleSetToJson(compiled), undefined, '\t')}\n`;
	}
}

/** The commands of both families, with what else an administrator must know to type them. */
function printAllCommands({policy, ruleSet}: CompiledPolicy): string {
	const modules = HELPERS.filter(({name}) => policy.helpers.includes(name)).map(
		({module}) => module,
	);
	return [
		'# For an empty INPUT chain. As root, in this order.',
		...(modules.length > 0 ? [`# Load at every boot as well: ${modules.join(' ')}`] : []),
		...ruleSet.families.flatMap(printCommands),
		'',
	].join('\n');
}

/** The policy and its rules, for programs: each rule with its chain, text and reason. */
export function ruleSetToJson({policy, ruleSet}: CompiledPolicy): Record<string, unknown> {
	return {
		policy: policyToJson(policy),
		rules: ruleSet.families.flatMap(({family, tables}) =>
			tables.flatMap((table) =>
				table.chains.flatMap((chain) =>
					chain.rules.map((rule) => ({
						family: `ipv${family}`,
						table: table.name,
						chain: chain.name,
						rule: printRule(rule, family),
						part: rule.reason?.part,
						reason: rule.reason?.text,
					})),
				),
			),
		),
	};
}
