import {decidingRule, describeDeciding} from '../existing/shadowed-jump.ts';
import {printable} from '../lib/printable.ts';
import type {RuleSet} from '../ruleset/model.ts';
import type {PendingChange} from './transaction.ts';

/**
 * What a change has done so far, a line each: what is loaded, which rules of other programs bypass it,
 * and which of their rules it has removed.
 */
export function describeChange(
	ruleSet: RuleSet,
	{loaded, removedRules}: Pick<PendingChange, 'loaded' | 'removedRules'>,
): readonly string[] {
	const deciding = loaded.flatMap((rules) => decidingRule(rules) ?? []);
	return [
		describeLoaded(ruleSet),
		...deciding.flatMap((rule) => [
			describeDeciding(rule),
			'To remove such rules: --existing flush-input',
		]),
		...removedRules.map((line) => `Gone, until undone: ${printable(line, 400)}`),
	];
}

/** One line that says how many rules of each family are loaded: `Loaded and read back: 14 IPv4 rules`. */
export function describeLoaded({families}: RuleSet): string {
	const counts = families.map(({family, tables}) => {
		const rules = tables.flatMap(({chains}) => chains.flatMap((chain) => chain.rules));
		return `${rules.length} IPv${family} rules`;
	});
	return `Loaded and read back: ${counts.join(', ')}.`;
}
