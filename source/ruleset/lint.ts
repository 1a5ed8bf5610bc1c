import {printRule} from './print.ts';
import {type Chain, type FamilyRules, findChain, OWN_CHAINS, type Rule} from './ruleset.ts';

/** Why our chain is not reached. What is `foreign` is not ours to change. */
export type JumpFault = {readonly text: string; readonly foreign: boolean};

/**
 * What keeps our chains from being reached: no jump, more than one, or ahead of it a rule of another
 * program that lets everything in or shuts everything out. One line each.
 */
export function lintJumps(rules: FamilyRules): readonly JumpFault[] {
	return OWN_CHAINS.filter(({table, name}) => findChain(rules, table, name)).flatMap(
		({table, name, from}): readonly JumpFault[] => {
			const list = findChain(rules, table, from)?.rules ?? [];
			const jumps = list.filter(({target}) => target.kind === 'chain' && target.name === name);
			const place = `IPv${rules.family}: ${from}`;
			if (jumps.length !== 1) {
				const text =
					jumps.length === 0
						? `${place} has no jump to ${name}`
						: `${place} has ${jumps.length} jumps to ${name}`;
				return [{text, foreign: false}];
			}

			const ahead = list
				.slice(0, list.indexOf(jumps[0] as Rule))
				.findIndex((rule) => decidesAll(rule, chainsOf(rules, table)));
			const rule = list[ahead];
			return rule === undefined
				? []
				: [
						{
							text: `${place}, rule ${ahead + 1}, not ours, decides before: ${printRule(rule, rules.family)}`,
							foreign: true,
						},
					];
		},
	);
}

/** Decides on every new connection, or on every one of a protocol; also in a chain that it leads to. */
function decidesAll(
	{match, target}: Rule,
	chains: readonly Chain[],
	seen: readonly string[] = [],
): boolean {
	const {states, protocol, ...others} = match;
	const matchesAll =
		Object.keys(others).length === 0 &&
		(states === undefined || states.includes('NEW')) &&
		(protocol === undefined || protocol === 'tcp' || protocol === 'udp');
	if (!matchesAll || target.kind !== 'chain') {
		return matchesAll && ['ACCEPT', 'DROP', 'REJECT'].includes(target.kind);
	}

	// What may return before it decides is not counted: whether it does, depends on the packet.
	const {rules = []} = chains.find(({name}) => name === target.name) ?? {};
	const end = rules.findIndex((rule) => rule.target.kind === 'RETURN');
	return (
		!seen.includes(target.name) &&
		(end === -1 ? rules : rules.slice(0, end)).some((rule) =>
			decidesAll(rule, chains, [...seen, target.name]),
		)
	);
}

function chainsOf({tables}: FamilyRules, table: string): readonly Chain[] {
	return tables.find(({name}) => name === table)?.chains ?? [];
}
