import {NOTHING_PRESENT, type Presence, printRestore} from '../ruleset/format-iptables.ts';
import {type FamilyRules, OWN_CHAINS} from '../ruleset/model.ts';
import type {Cleanup} from './cleanup-plan.ts';
import {chainOf, targetOf} from './rule-owner.ts';
import {chainsIn, describeSnapshot, isOwnChain, linesIn, type RulesSnapshot} from './snapshot.ts';

/** In the words of iptables-restore, the lines that take it away; our own jump is to be made anew. */
export function printCleanup({emptied, removed, rules, policies}: Cleanup): readonly string[] {
	const gone = new Set([...emptied, ...removed]);
	return [
		...emptied.map((chain) => `-F ${chain}`),
		...rules.filter((line) => !gone.has(chainOf(line))).map((line) => line.replace(/^-A/, '-D')),
		...removed.map((chain) => `-F ${chain}`),
		...removed.map((chain) => `-X ${chain}`),
		...policies.map(({chain, to}) => `-P ${chain} ${to}`),
	];
}

/** What loads our rules and takes away others' in the same transaction, for iptables-restore --noflush. */
export function printLoad(
	rules: FamilyRules,
	present: Presence = NOTHING_PRESENT,
	cleanup?: Cleanup,
): string {
	if (cleanup === undefined) {
		return printRestore(rules, present);
	}

	// Our jump goes with the rest of a chain that is emptied, and is made anew behind it.
	const jumps = new Map(present.jumps);
	for (const {name, table, from} of OWN_CHAINS) {
		if (table === 'filter' && cleanup.emptied.includes(from)) {
			jumps.set(name, 0);
		}
	}

	const text = printRestore(rules, {...present, jumps});
	const lines = printCleanup(cleanup).map((line) => `${line}\n`);
	return text.replace(/^\*filter\n/m, (head) => head + lines.join(''));
}

/** The chains that a taking changes, which undoing it makes again what they were. */
export function touchedChains({emptied, removed, rules}: Cleanup): readonly string[] {
	return [...new Set([...emptied, ...removed, ...rules.map(chainOf)])];
}

/** User-defined chains that the touched ones lead to, near and far, and that stay. */
export function chainsBehind(
	snapshot: RulesSnapshot,
	touched: readonly string[],
): readonly string[] {
	const lines = linesIn(snapshot);
	const names = new Set(chainsIn(snapshot).map(({name}) => name));
	const found = new Set(touched);
	for (const chain of found) {
		for (const line of lines) {
			const target = chainOf(line) === chain ? targetOf(line) : undefined;
			if (target !== undefined && names.has(target)) {
				found.add(target);
			}
		}
	}

	return [...found].filter((name) => !touched.includes(name) && !isOwnChain(name, snapshot));
}

/** One line for each place that something goes from: for a summary. */
export function describeCleanup({rules, removed, policies, ...place}: Cleanup): string {
	const counts = countBy(rules, chainOf);
	const parts = [
		...[...counts]
			.filter(([chain]) => !removed.includes(chain))
			.map(([chain, count]) => `${count} ${count === 1 ? 'rule' : 'rules'} of ${chain}`),
		...(removed.length === 0
			? []
			: [`${removed.length} ${removed.length === 1 ? 'chain' : 'chains'} of ufw`]),
		...policies.map(({chain, from}) => `the policy ${from} of ${chain}`),
	];
	return `${describeSnapshot(place)}: ${parts.join(', ')}`;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, number> {
	const counts = new Map<string, number>();
	for (const item of items) {
		const key = keyOf(item);
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}

	return counts;
}
