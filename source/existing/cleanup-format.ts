import {NOTHING_PRESENT, type Presence, printRestore} from '../ruleset/format-iptables.ts';
import {type FamilyRules, OWN_CHAINS} from '../ruleset/model.ts';
import type {Cleanup} from './cleanup-plan.ts';
import {chainOf, targetOf} from './rule-owner.ts';
import {
	chainsIn,
	describeSnapshot,
	isOwnChain,
	isOwnRule,
	linesIn,
	type RulesSnapshot,
} from './snapshot.ts';

/** The lines for iptables-restore that perform a cleanup. Where INPUT is emptied, our jump must be added again. */
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

/** The input for iptables-restore --noflush that removes rules of other programs and loads ours in one transaction. */
export function printLoad(
	rules: FamilyRules,
	present: Presence = NOTHING_PRESENT,
	cleanup?: Cleanup,
): string {
	if (cleanup === undefined) {
		return printRestore(rules, present);
	}

	// Emptying a chain removes our jump as well, so that it must be added again.
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

/** The chains that a cleanup changes, and that undo restores. */
export function touchedChains({emptied, removed, rules}: Cleanup): readonly string[] {
	return [...new Set([...emptied, ...removed, ...rules.map(chainOf)])];
}

/** The user-defined chains that stay, and that changed chains jump to, directly or through other chains. */
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

/** The rules that undo restores: all rules of the changed chains, and of the chains behind them. */
export function restoredRules(snapshot: RulesSnapshot, cleanup: Cleanup): readonly string[] {
	const touched = touchedChains(cleanup);
	const chains = new Set([...touched, ...chainsBehind(snapshot, touched)]);
	return linesIn(snapshot).filter((line) => chains.has(chainOf(line)));
}

/** What a cleanup removes, in one line for a summary. */
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

/**
 * Lines of the filter table, as iptables-save prints them, with counters or without, less what a cleanup removes.
 */
export function withoutRemoved(
	lines: readonly string[],
	{emptied, removed, rules, policies}: Cleanup,
): readonly string[] {
	const gone = new Set([...emptied, ...removed]);
	const deleted = new Set(rules);
	return lines.flatMap((line) => {
		const rule = line.replace(/^\[\d+:\d+\] /, '');
		if (rule.startsWith('-A ')) {
			const isGone = gone.has(chainOf(rule)) && !isOwnRule(rule);
			return isGone || deleted.has(rule) ? [] : [line];
		}

		const [, chain = ''] = /^:(\S+) /.exec(line) ?? [];
		const policy = policies.find((one) => one.chain === chain);
		return removed.includes(chain)
			? []
			: [policy ? line.replace(/^(:\S+) \S+/, `$1 ${policy.to}`) : line];
	});
}
