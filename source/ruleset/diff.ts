import type {Family} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {type Presence, printRule} from './format-iptables.ts';
import {
	type Chain,
	type FamilyRules,
	findChain,
	OWN_PREFIX,
	ownChains,
	type Rule,
	type Table,
} from './model.ts';

/** Of a line about a difference. */
const MOST_CHARACTERS = 300;

/** A position at which two rule sets differ. A side is absent where it has no rule there. */
type Difference = {
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	/** Counts from 1. */
	readonly index: number;
	readonly expected: string | undefined;
	readonly actual: string | undefined;
};

/** Which of our chains and jumps a save has. */
export function presenceOf(saved: FamilyRules): Presence {
	const chains = ownChains(saved).filter((own) => findChain(saved, own.table, own.name));
	return {
		chains: new Set(chains.map(({name}) => name)),
		jumps: new Map(
			chains.map(({name, table, from}) => [
				name,
				(findChain(saved, table, from)?.rules ?? []).filter((rule) => isJumpTo(rule, name)).length,
			]),
		),
	};
}

/** The part of a save that is ours: our chains, and our jumps from the built-in chains. */
export function ownRules(saved: FamilyRules): FamilyRules {
	return {
		family: saved.family,
		tables: saved.tables.map(({name, chains}) => ({
			name,
			chains: chains.flatMap((chain): Chain[] => {
				if (chain.name.startsWith(OWN_PREFIX)) {
					return [chain];
				}

				const rules = chain.rules.filter(
					({target}) => target.kind === 'chain' && target.name.startsWith(OWN_PREFIX),
				);
				return rules.length > 0 ? [{name: chain.name, policy: 'ACCEPT', rules}] : [];
			}),
		})),
	};
}

/**
 * The differences between two rule sets. Reasons and comments do not matter, nor does the order of tables and
 * chains, nor an empty built-in chain with policy ACCEPT. The order of rules matters.
 */
export function compareRules(expected: FamilyRules, actual: FamilyRules): readonly Difference[] {
	const [left, right] = [flatten(expected), flatten(actual)];
	return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((key) => {
		const [table = '', chain = ''] = key.split(' ');
		const [wanted = [], found = []] = [left.get(key), right.get(key)];
		return Array.from({length: Math.max(wanted.length, found.length)}, (_, index) => ({
			family: expected.family,
			table,
			chain,
			index: index + 1,
			expected: wanted[index],
			actual: found[index],
		})).filter((difference) => difference.expected !== difference.actual);
	});
}

/** How the rules of fw-wizard in a save differ from a rule set, a line each; safe to print. */
export function ownDifferences(expected: FamilyRules, saved: FamilyRules): readonly string[] {
	return compareRules(expected, ownRules(saved)).map((one) =>
		printable(describeDifference(one), MOST_CHARACTERS),
	);
}

/** A difference in one line. */
export function describeDifference(difference: Difference): string {
	const {family, chain, index, expected, actual} = difference;
	const place = `IPv${family}, rule ${index} of ${chain}`;
	if (expected === undefined) {
		return `${place}: "${actual}" should not be there`;
	}

	return actual === undefined
		? `${place}: "${expected}" is missing`
		: `${place}: is "${actual}", should be "${expected}"`;
}

function flatten({family, tables}: FamilyRules): ReadonlyMap<string, readonly string[]> {
	return new Map(
		tables.flatMap((table: Table) =>
			table.chains
				.filter(({policy, rules}) => rules.length > 0 || policy !== 'ACCEPT')
				.map((chain) => [
					`${table.name} ${chain.name}`,
					[
						...(chain.policy === 'DROP' ? ['policy DROP'] : []),
						...chain.rules.map(({match, target}) => printRule({match, target}, family)),
					],
				]),
		),
	);
}

function isJumpTo({match, target}: Rule, name: string): boolean {
	return target.kind === 'chain' && target.name === name && Object.keys(match).length === 0;
}
