import type {RuleSet} from '../ruleset/model.ts';

/** One line that says how many rules of each family are loaded: `Loaded and read back: 14 IPv4 rules`. */
export function describeLoaded({families}: RuleSet): string {
	const counts = families.map(({family, tables}) => {
		const rules = tables.flatMap(({chains}) => chains.flatMap((chain) => chain.rules));
		return `${rules.length} IPv${family} rules`;
	});
	return `Loaded and read back: ${counts.join(', ')}.`;
}
