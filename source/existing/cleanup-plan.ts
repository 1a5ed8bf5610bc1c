import {joinWords} from '../lib/list.ts';
import type {Family} from '../lib/network.ts';
import type {Backend, Chain} from '../ruleset/model.ts';
import {programOfChain} from '../services/known-programs/find.ts';
import {chainOf, programOfRule, targetOf} from './rule-owner.ts';
import {chainsIn, othersIn, programsNeedingFilter, type RulesSnapshot} from './snapshot.ts';

/** What happens to rules of others that are there already. */
export const CLEANUP_MODES = ['keep', 'flush-input', 'flush-filter'] as const;
export type CleanupMode = (typeof CLEANUP_MODES)[number];

/** Programs that own the whole firewall: beside them no other can be applied. */
export const MANAGERS = ['ufw', 'firewalld'] as const;
export type Manager = (typeof MANAGERS)[number];

/** What a change does to others' rules. It travels beside the policy, and is not part of it. */
export type Existing = {
	readonly mode: CleanupMode;
	/** Whoever owns the firewall and is to be switched off. */
	readonly switchOff: readonly Manager[];
};

export const KEEP_EXISTING: Existing = {mode: 'keep', switchOff: []};

/** Whether all rules of other programs stay, and nothing is switched off. */
export function keepsAll({mode, switchOff}: Existing): boolean {
	return mode === 'keep' && switchOff.length === 0;
}

/** The flags that say it; none where all is kept. */
export function existingFlags({mode, switchOff}: Existing): readonly string[] {
	return [
		...(mode === 'keep' ? [] : ['--existing', mode]),
		...switchOff.flatMap((name) => ['--switch-off', name]),
	];
}

/** What goes of the filter table of one family in one backend. All of it comes back by undo. */
export type Cleanup = {
	readonly family: Family;
	readonly backend: Backend;
	readonly inUse: boolean;
	/** Each rule that goes, as iptables-save has it: `-A INPUT -p tcp …`. */
	readonly rules: readonly string[];
	/** Chains that all rules of others go from; our own stay. */
	readonly emptied: readonly string[];
	/** Chains that go themselves. */
	readonly removed: readonly string[];
	/** Policies of built-in chains that change. */
	readonly policies: ReadonlyArray<{
		readonly chain: string;
		readonly from: string;
		readonly to: string;
	}>;
};

/** What a choice would do here. */
export type CleanupPlan = {
	readonly mode: CleanupMode;
	/** Where something goes; empty: nothing does. */
	readonly cleanups: readonly Cleanup[];
	/** What stops to work, one sentence each. */
	readonly breaks: readonly string[];
	/** Why it cannot be done here, in one sentence. */
	readonly refusal: string | undefined;
};

/**
 * What exactly a choice would take away, and what that breaks. Our own rules are not counted where
 * they are in use.
 *
 * Policies: as with `iptables -F` they stay, where that shuts nobody out. INPUT's does in the backend
 * in use, since our chain decides on everything before it; in the other backend a DROP without
 * rules would shut out everybody, and OUTPUT's would do so in both: those become ACCEPT.
 * @param switchOff also takes the chains of these; firewalld has none in iptables
 */
export function planCleanup(
	snapshots: readonly RulesSnapshot[],
	mode: CleanupMode,
	switchOff: readonly Manager[] = [],
): CleanupPlan {
	const withoutUfw = switchOff.includes('ufw');
	const cleanups = snapshots.flatMap((snapshot) => {
		const ufwHere =
			withoutUfw &&
			snapshots.some(
				(other) => other.backend === snapshot.backend && chainsIn(other).some(isUfwChain),
			);
		return planSnapshotCleanup(snapshot, mode, ufwHere) ?? [];
	});
	const needing = mode === 'flush-filter' ? programsNeedingFilter(snapshots) : [];
	return {
		mode,
		cleanups,
		breaks: describeBreaks(cleanups, withoutUfw),
		refusal:
			needing.length === 0
				? undefined
				: `The filter table is not flushed while ${joinWords(needing.map(({name}) => name))} ${needing.length === 1 ? 'needs' : 'need'} its rules`,
	};
}

function planSnapshotCleanup(
	snapshot: RulesSnapshot,
	mode: CleanupMode,
	ufwHere: boolean,
): Cleanup | undefined {
	const {family, backend, inUse} = snapshot;
	const chains = chainsIn(snapshot);
	const lines = othersIn(snapshot);
	const removed = ufwHere ? chains.filter(isUfwChain).map(({name}) => name) : [];
	const filled = new Set(lines.map(chainOf));
	const emptied = chains
		.map(({name}) => name)
		.filter(
			(name) =>
				(mode === 'flush-filter' || (mode === 'flush-input' && name === 'INPUT')) &&
				!removed.includes(name) &&
				filled.has(name),
		);
	const gone = new Set([...emptied, ...removed]);
	const rules =
		gone.size === 0
			? []
			: lines.filter(
					(line) =>
						gone.has(chainOf(line)) ||
						(removed.length > 0 && removed.includes(targetOf(line) ?? '')),
				);
	const opened = policiesToOpen(snapshot, mode, ufwHere);
	const policies = chains.flatMap(({name, policy}) =>
		policy !== undefined && policy !== 'ACCEPT' && opened.has(name)
			? [{chain: name, from: policy, to: 'ACCEPT'}]
			: [],
	);
	return rules.length + removed.length + policies.length === 0
		? undefined
		: {family, backend, inUse, rules, emptied, removed, policies};
}

/** The built-in chains whose policy would shut out everybody once the rules are gone. */
function policiesToOpen(
	snapshot: RulesSnapshot,
	mode: CleanupMode,
	ufwHere: boolean,
): ReadonlySet<string> {
	return new Set([
		...(mode !== 'keep' && !snapshot.inUse ? ['INPUT'] : []),
		...(mode === 'flush-filter' ? ['OUTPUT'] : []),
		// As `ufw disable` does it; but Docker, too, wants FORWARD shut.
		...(ufwHere ? ['INPUT', 'OUTPUT'] : []),
		...(ufwHere && programsNeedingFilter([snapshot]).length === 0 ? ['FORWARD'] : []),
	]);
}

function describeBreaks(cleanups: readonly Cleanup[], withoutUfw: boolean): readonly string[] {
	const programs = new Set(
		cleanups.flatMap(({rules, emptied}) => [
			...emptied.flatMap((chain) => programOfChain(chain) ?? []),
			...rules.flatMap((rule) => programOfRule(rule) ?? []),
		]),
	);
	const forwards = cleanups.some(({emptied}) => emptied.includes('FORWARD'));
	return [
		...[...programs]
			.filter(({name}) => withoutUfw || name !== 'ufw')
			.flatMap(({breaks}) => breaks ?? []),
		...(forwards
			? [
					'What this machine forwards to others is no longer filtered by FORWARD, but for its policy',
				]
			: []),
	];
}

function isUfwChain({name}: Chain): boolean {
	return programOfChain(name)?.name === 'ufw';
}
