import {printJson} from '../lib/json.ts';
import {HELPERS} from '../policy/helpers.ts';
import {policyToJson} from '../policy/print-policy.ts';
import type {CompiledPolicy} from './build.ts';
import {printCommands, printRestoreFiles, printRule} from './format-iptables.ts';
import type {RuleSet} from './model.ts';

/** How the rules of a policy can be printed: for iptables-restore, for a shell or for a program. */
export type RuleSetFormat = 'restore' | 'commands' | 'json';

/** Prints the rules of a policy. */
export function printRuleSet(compiled: CompiledPolicy, format: RuleSetFormat): string {
	switch (format) {
		case 'commands':
			return printAllCommands(compiled);
		case 'json':
			return printJson(ruleSetToJson(compiled));
		case 'restore':
			return printRestoreFiles(compiled.ruleSet);
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

/** One line that says how many rules of each family are loaded: `Loaded and read back: 14 IPv4 rules`. */
export function describeLoaded({families}: RuleSet): string {
	const counts = families.map(({family, tables}) => {
		const rules = tables.flatMap(({chains}) => chains.flatMap((chain) => chain.rules));
		return `${rules.length} IPv${family} rules`;
	});
	return `Loaded and read back: ${counts.join(', ')}.`;
}
