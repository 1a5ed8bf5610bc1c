import type {Family} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {printRule} from '../ruleset/format-iptables.ts';
import {
	type Chain,
	type FamilyRules,
	findChain,
	OWN_CHAINS,
	OWN_PREFIX,
	type Rule,
} from '../ruleset/model.ts';

/** Why our chains are not reached, or twice: there is no jump, or more than one. One line each. */
export function findJumpFault(rules: FamilyRules): readonly string[] {
	return OWN_CHAINS.filter(({table, name}) => findChain(rules, table, name)).flatMap(
		({table, name, from}): readonly string[] => {
			const list = findChain(rules, table, from)?.rules ?? [];
			const jumps = list.filter(({target}) => target.kind === 'chain' && target.name === name);
			const place = `IPv${rules.family}: ${from}`;
			return jumps.length === 1
				? []
				: jumps.length === 0
					? [`${place} has no jump to ${name}`]
					: [`${place} has ${jumps.length} jumps to ${name}`];
		},
	);
}

/** A rule that decides on everything, with its position in its chain, counted from 1. */
type Deciding = {readonly family: Family; readonly index: number; readonly rule: Rule};

/**
 * The first rule of another program in INPUT that accepts or blocks everything before our jump. Where
 * there is no jump yet, all rules come before it.
 */
export function decidingRule(rules: FamilyRules): Deciding | undefined {
	const list = findChain(rules, 'filter', 'INPUT')?.rules ?? [];
	const jump = list.findIndex(
		({target}) => target.kind === 'chain' && target.name.startsWith(OWN_PREFIX),
	);
	const found = firstDeciding(jump === -1 ? list : list.slice(0, jump), chainsOf(rules, 'filter'));
	return found && {...found, family: rules.family};
}

/** A rule that decides before our chain is reached, in one line. */
export function describeDeciding({family, index, rule}: Deciding): string {
	const text = printable(printRule(rule, family), 200);
	return `IPv${family}: ours is not reached: rule ${index} of INPUT comes first and decides on everything: ${text}`;
}

function firstDeciding(
	list: readonly Rule[],
	chains: readonly Chain[],
): Omit<Deciding, 'family'> | undefined {
	const position = list.findIndex((rule) => isUnconditional(rule, chains));
	const rule = list[position];
	return rule && {index: position + 1, rule};
}

/** Whether a rule by itself decides on every new connection, of every protocol. */
export function decidesOnEverything({match, target}: Rule): boolean {
	const {states, ...others} = match;
	return (
		Object.keys(others).length === 0 &&
		(states === undefined || states.includes('NEW')) &&
		['ACCEPT', 'DROP', 'REJECT'].includes(target.kind)
	);
}

/** Whether a rule decides on every new connection, or every one of a protocol, be it in a chain that it jumps to. */
function isUnconditional(
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

	// Rules behind a RETURN are left out, since only some packets may get there.
	const {rules = []} = chains.find(({name}) => name === target.name) ?? {};
	const end = rules.findIndex((rule) => rule.target.kind === 'RETURN');
	return (
		!seen.includes(target.name) &&
		(end === -1 ? rules : rules.slice(0, end)).some((rule) =>
			isUnconditional(rule, chains, [...seen, target.name]),
		)
	);
}

function chainsOf({tables}: FamilyRules, table: string): readonly Chain[] {
	return tables.find(({name}) => name === table)?.chains ?? [];
}
