import {joinWords} from '../lib/list.ts';
import type {Family} from '../lib/network.ts';
import type {Backend, Chain} from '../ruleset/model.ts';
import {programOfChain} from '../services/known-programs/find.ts';
import {chainOf, programOfRule, targetOf} from './rule-owner.ts';
import {chainsIn, foreignLinesIn, programsNeedingFilter, type RulesSnapshot} from './snapshot.ts';

/** What happens to existing rules of other programs. */
export const CLEANUP_MODES = ['keep', 'flush-input', 'flush-filter'] as const;
export type CleanupMode = (typeof CLEANUP_MODES)[number];

/** Programs that own the whole firewall: no other can be applied beside them. */
export const MANAGERS = ['ufw', 'firewalld'] as const;
export type Manager = (typeof MANAGERS)[number];

/** What happens to files that load removed rules again at boot. */
export const SAVED_CHOICES = ['edit', 'keep'] as const;
export type SavedChoice = (typeof SAVED_CHOICES)[number];

/** What a change does to the rules of other programs. It is no part of the policy. */
export type Existing = {
	readonly mode: CleanupMode;
	/** The programs that own the firewall and are to be switched off. */
	readonly switchOff: readonly Manager[];
	/** Whether removed rules are also taken out of the files that load them again at boot. Undefined: not decided. */
	readonly saved?: SavedChoice | undefined;
	/** The user accepts that what these open or close changes where it cannot be imported. */
	readonly acceptLosses?: boolean;
};

export const KEEP_EXISTING: Existing = {mode: 'keep', switchOff: []};

/** Whether all rules of other programs stay, and nothing is switched off. */
export function keepsAll({mode, switchOff}: Existing): boolean {
	return mode === 'keep' && switchOff.length === 0;
}

/** The flags for it on the command line; none where everything is kept. */
export function existingFlags({mode, switchOff, saved, acceptLosses}: Existing): readonly string[] {
	return [
		...(mode === 'keep' ? [] : ['--existing', mode]),
		...switchOff.flatMap((name) => ['--switch-off', name]),
		...(saved === undefined ? [] : ['--saved-rules', saved]),
		...(acceptLosses ? ['--accept-losses'] : []),
	];
}

/** What is removed from the filter table of one family in one backend. Undo restores all of it. */
export type Cleanup = {
	readonly family: Family;
	readonly backend: Backend;
	readonly inUse: boolean;
	/** Each removed rule as iptables-save prints it: `-A INPUT -p tcp …`. */
	readonly rules: readonly string[];
	/** Chains that lose all rules but our own. */
	readonly emptied: readonly string[];
	/** Chains that are deleted. */
	readonly removed: readonly string[];
	/** Policies of built-in chains that change. */
	readonly policies: ReadonlyArray<{
		readonly chain: string;
		readonly from: string;
		readonly to: string;
	}>;
};

/** What a cleanup mode would do here. */
type CleanupPlan = {
	readonly mode: CleanupMode;
	/** One for each family and backend that loses something. */
	readonly cleanups: readonly Cleanup[];
	/** What no longer works, one sentence each. */
	readonly breaks: readonly string[];
	/** Why it cannot be done here, in one sentence. */
	readonly refusal: string | undefined;
};

/**
 * What exactly a cleanup mode would remove, and what would no longer work. Our own rules are left out
 * in the backend in use.
 *
 * As with `iptables -F` the policies of chains stay where they block nothing. That of INPUT blocks
 * nothing in the backend in use, since our chain decides on every packet before it. In the other
 * backend a policy DROP without rules would block everything, and that of OUTPUT would do so in both
 * backends: these become ACCEPT.
 * @param switchOff the chains of these programs are removed as well; firewalld has none in iptables
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
	const lines = foreignLinesIn(snapshot);
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

/** The built-in chains whose policy would block everything once the rules are removed. */
function policiesToOpen(
	snapshot: RulesSnapshot,
	mode: CleanupMode,
	ufwHere: boolean,
): ReadonlySet<string> {
	return new Set([
		...(mode !== 'keep' && !snapshot.inUse ? ['INPUT'] : []),
		...(mode === 'flush-filter' ? ['OUTPUT'] : []),
		// `ufw disable` does the same. Docker, however, needs the policy DROP of FORWARD as well.
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
