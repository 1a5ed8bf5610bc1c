import type {Family} from '../lib/network.ts';
import {printRule} from './format-iptables.ts';
import {findChain, type OwnChain, ownChains, type Rule, type RuleSet} from './model.ts';

/** A rule that one or both families have. */
export type Row = {
	readonly families: readonly Family[];
	readonly own: OwnChain;
	/** Counts from 1, in the first of its families. */
	readonly index: number;
	/** The rule as iptables reads it, without its chain. */
	readonly text: string;
	readonly rule: Rule;
};

type Mark = 'same' | 'added' | 'removed';

export type MarkedRow = Row & {readonly mark: Mark};

/**
 * The rules of our chains, of both families in one list, in the order in which they are evaluated:
 * `raw` and `mangle` come before `filter`, and groups of sources before the chain that jumps to them, so that the
 * verdict is the last.
 */
export function mergeFamilies({families}: RuleSet): readonly Row[] {
	const [raw, mangle, filter] = ['raw', 'mangle', 'filter'].map((table) =>
		ownChains(...families).filter((own) => own.table === table),
	);
	return [...(raw ?? []).reverse(), ...(mangle ?? []), ...(filter ?? [])].flatMap((own) => {
		const lists = families.map((rules) =>
			(findChain(rules, own.table, own.name)?.rules ?? []).map(
				(rule, position): Row => ({
					families: [rules.family],
					own,
					index: position + 1,
					text: printRule(rule, rules.family),
					rule,
				}),
			),
		);
		return lists.reduce<readonly Row[]>(
			(merged, list) =>
				interleave(
					merged,
					list,
					(row) => row.text,
					(one, other) => ({...one, families: [...one.families, ...other.families]}),
				),
			[],
		);
	});
}

/** The rows of both lists with a mark of what changes. A removed row keeps its position. */
export function markRows(before: readonly Row[], after: readonly Row[]): readonly MarkedRow[] {
	if (before === after) {
		return before.map((row) => ({...row, mark: 'same'}));
	}

	return interleave<MarkedRow>(
		before.map((row) => ({...row, mark: 'removed'})),
		after.map((row) => ({...row, mark: 'added'})),
		(row) => `${row.own.name} ${row.families.join('')} ${row.text}`,
		(_, row) => ({...row, mark: 'same'}),
	);
}

/** Merges two lists that have most items in common. The order of each is kept, and items of one key become one. */
function interleave<T>(
	left: readonly T[],
	right: readonly T[],
	key: (item: T) => string,
	unite: (left: T, right: T) => T,
): readonly T[] {
	const keys = right.map(key);
	const waiting = new Map<string, number>();
	for (const name of keys) {
		waiting.set(name, (waiting.get(name) ?? 0) + 1);
	}

	const merged: T[] = [];
	let next = 0;
	for (const item of left) {
		const wanted = key(item);
		if ((waiting.get(wanted) ?? 0) === 0) {
			merged.push(item);
			continue;
		}

		for (; next < right.length; next += 1) {
			const other = right[next] as T;
			const name = keys[next] ?? '';
			waiting.set(name, (waiting.get(name) ?? 1) - 1);
			if (name === wanted) {
				merged.push(unite(item, other));
				next += 1;
				break;
			}

			merged.push(other);
		}
	}

	return [...merged, ...right.slice(next)];
}
