import {printCleanup} from '../existing/cleanup-format.ts';
import {type Cleanup, type Existing, planCleanup} from '../existing/cleanup-plan.ts';
import {rulesAfter} from '../existing/cleanup-preview.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import {programFor} from '../host/netfilter/snapshot.ts';
import type {Family} from '../lib/network.ts';
import {presenceOf} from '../ruleset/diff.ts';
import {printRestore} from '../ruleset/format-iptables.ts';
import type {Backend, FamilyRules, RuleSet} from '../ruleset/model.ts';
import {parseSave} from '../ruleset/parse-save.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import type {Load, RulesUnderTest} from './load-rules.ts';

/** A change to the running rules. */
export type PlannedChange = {
	readonly ruleSet: RuleSet;
	readonly existing: Existing;
	/** The backend of the program named `iptables`. Undefined where it is not installed, and has no rules. */
	readonly backend: Backend | undefined;
};

/** What the change loads: first the removal of other firewalls' rules, then our own rules. */
export function loadsOf(running: RulesUnderTest, change: PlannedChange): readonly Load[] {
	const {snapshots, cleanups} = planOf(running, change);
	return [
		...removedTables(running, change).map((name) => ({
			program: 'nft',
			args: ['delete', 'table', ...name.split(' ')],
			text: '',
		})),
		...cleanups.map((cleanup) => ({
			program: programFor(cleanup, '-restore'),
			args: ['-w', '10', '--noflush'],
			text: `*filter\n${printCleanup(cleanup).join('\n')}\nCOMMIT\n`,
		})),
		...change.ruleSet.families.map((rules) => {
			const mine = snapshots.find(({family, inUse}) => inUse && family === rules.family);
			return {
				program: programOf(rules.family, '-restore'),
				args: ['-w', '10', '--noflush'],
				text: printRestore(rules, mine && presenceOf(mine.rules)),
			};
		}),
	];
}

/** The rules after the change, as data: iptables in both backends, and the native tables. */
export function sourceAfter(running: RulesUnderTest, change: PlannedChange): RulesUnderTest {
	const {snapshots, cleanups} = planOf(running, change);
	const removed = removedTables(running, change);
	const own = (family: Family) => change.ruleSet.families.find((rules) => rules.family === family);
	const others = change.ruleSet.families.filter(
		({family}) => !snapshots.some((snapshot) => snapshot.inUse && snapshot.family === family),
	);
	return {
		...running,
		rules: [
			...snapshots.map((snapshot): FamilyRules => {
				const {family, inUse, backend} = snapshot;
				const cleanup = cleanups.find((one) => one.family === family && one.backend === backend);
				return rulesAfter(snapshot.rules, cleanup, inUse ? own(family) : undefined);
			}),
			...others,
		],
		nativeTables: running.nativeTables.filter((name) => !removed.includes(name)),
	};
}

/** Whether a text is loaded by iptables-restore, so that iptables-save has printed it. */
export function isIptables({program}: Load): boolean {
	return program.endsWith('-restore');
}

function planOf(
	running: RulesUnderTest,
	{existing, backend}: PlannedChange,
): {readonly snapshots: readonly RulesSnapshot[]; readonly cleanups: readonly Cleanup[]} {
	const snapshots = running.loads.filter(isIptables).flatMap(({program, text}): RulesSnapshot[] => {
		const family: Family = program.startsWith('ip6') ? 6 : 4;
		const other = /-(nft|legacy)-restore$/.exec(program)?.[1] as Backend | undefined;
		const named = other ?? backend;
		return named === undefined
			? []
			: [
					{
						family,
						backend: named,
						inUse: other === undefined,
						text,
						rules: parseSave(text, family),
					},
				];
	});
	const plan = planCleanup(snapshots, existing.mode, existing.switchOff);
	return {snapshots, cleanups: plan.refusal === undefined ? plan.cleanups : []};
}

/** The tables that are gone after the change: that of firewalld is removed with it. */
function removedTables(
	{nativeTables}: RulesUnderTest,
	{existing}: PlannedChange,
): readonly string[] {
	return existing.switchOff.includes('firewalld')
		? nativeTables.filter((name) => programOfTable(name)?.name === 'firewalld')
		: [];
}
