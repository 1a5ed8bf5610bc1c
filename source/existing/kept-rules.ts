import {OWN_PREFIX} from '../ruleset/model.ts';
import {tableRules} from '../ruleset/save-lines.ts';
import type {Cleanup} from './cleanup-plan.ts';
import {programOfRule} from './rule-owner.ts';
import type {RulesSnapshot} from './snapshot.ts';

/** Rules of one program in iptables, of both families and all tables; `program` is absent where it is not known. */
export type ProgramRules = {readonly program?: string; readonly rules: number};

const TABLES = ['raw', 'mangle', 'nat', 'filter', 'security'] as const;

/**
 * How many rules of other programs stay, by program, the most first.
 * @param snapshots all rules that are loaded now
 * @param cleanups what a change removes of them
 */
export function countKept(
	snapshots: readonly RulesSnapshot[],
	cleanups: readonly Cleanup[],
): readonly ProgramRules[] {
	const counts = new Map<string | undefined, number>();
	const add = (program: string | undefined, count: number) =>
		counts.set(program, (counts.get(program) ?? 0) + count);
	for (const snapshot of snapshots) {
		for (const [program, count] of countAll(snapshot)) {
			add(program, count);
		}
	}

	for (const rule of cleanups.flatMap(({rules}) => rules)) {
		add(programOfRule(rule)?.name, -1);
	}

	return [...counts]
		.filter(([, count]) => count > 0)
		.map(([program, rules]) => ({...(program === undefined ? {} : {program}), rules}))
		.sort((a, b) => b.rules - a.rules);
}

type Counts = ReadonlyMap<string | undefined, number>;

/** They are counted once for each snapshot, since a screen is drawn at every key and there may be thousands. */
const COUNTS = new WeakMap<RulesSnapshot, Counts>();

function countAll(snapshot: RulesSnapshot): Counts {
	const known = COUNTS.get(snapshot);
	if (known !== undefined) {
		return known;
	}

	const counts = new Map<string | undefined, number>();
	for (const line of TABLES.flatMap((table) => tableRules(snapshot.text, table))) {
		if (!(snapshot.inUse && line.includes(OWN_PREFIX))) {
			const program = programOfRule(line)?.name;
			counts.set(program, (counts.get(program) ?? 0) + 1);
		}
	}

	COUNTS.set(snapshot, counts);
	return counts;
}
