import {statSync} from 'node:fs';
import {uptime} from 'node:os';
import {describeCleanup} from '../existing/cleanup-format.ts';
import {type Existing, existingFlags, keepsAll} from '../existing/cleanup-plan.ts';
import {describeSavedEdit, type SavedEdit} from '../existing/saved-rules.ts';
import {findProgram} from '../host/exec/find-program.ts';
import {readText} from '../host/files/read-text.ts';
import {type Backend, programOfBackend} from '../host/netfilter/iptables.ts';
import {programFor, readSnapshots} from '../host/netfilter/snapshot.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {HostError} from '../lib/errors.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';
import {printPolicy} from '../policy/print-policy.ts';
import {ownChains, type RuleSet} from '../ruleset/model.ts';
import {type FilePlan, readPlannedFiles} from './boot-files.ts';
import {readBootId} from './change-state.ts';
import {assertAsPlanned, planSnapshotCleanups, type SnapshotCleanup} from './cleanup.ts';
import {currentUser} from './journal.ts';
import {type Before, beforeOf} from './load.ts';
import {JOURNAL_FILE, POLICY_FILE} from './paths.ts';
import {type ChangeMeta, createChange, folderOf, type KnownDeviation} from './record.ts';
import {type FamilyChange, ownRulesOf} from './rollback-family.ts';
import {printRollbackScript, type Rollback} from './rollback-script.ts';
import {planSwitchOff, type SwitchOff} from './switch-off.ts';
import {assertWritable} from './write-back.ts';

export type ChangeRequest = {
	readonly policy: Policy;
	/** The text of the policy file that the policy was made from, where it was: another one must not be lost. */
	readonly basedOn?: string | undefined;
	readonly ruleSet: RuleSet;
	/** Which iptables is in use. */
	readonly backend: Backend;
	readonly appliedFrom: ChangeMeta['appliedFrom'];
	/** False: it is loaded without a trial in an isolated copy first, where none can be made. */
	readonly rehearsal?: boolean | undefined;
	/** Until the watchdog rolls back. */
	readonly seconds: number;
	/** What happens to the rules of other programs, and to ufw and firewalld. */
	readonly existing: Existing;
	/** The rules that the plan removes; undefined where it does not know the loaded rules. */
	readonly cleanups: readonly SnapshotCleanup[] | undefined;
	/** What is taken out of the files that load rules at boot. */
	readonly savedEdits: readonly SavedEdit[];
	/** What other programs' rules open or block against the policy, as the user was told. */
	readonly known: readonly KnownDeviation[];
	/** What confirming does for the next boot, and what an undo does beside restoring the files. */
	readonly persistence: {readonly keep: FilePlan; readonly undo: Omit<FilePlan, 'files'>};
};

/** @throws {HostError} where somebody else has changed the policy meanwhile that a change begins from */
export function assertBasedOn({basedOn}: ChangeRequest): void {
	if (basedOn !== undefined && readText(POLICY_FILE) !== basedOn) {
		throw new HostError(
			'The policy was changed meanwhile by another fw-wizard',
			'Nothing was changed now. Try again',
		);
	}
}

/** What a change does to other programs, and all rules before it. */
type ExistingRules = {
	readonly before: Before;
	readonly cleanups: readonly SnapshotCleanup[];
	readonly switchOff: SwitchOff;
};

/**
 * Reads the rules that are loaded now, and plans which of them are removed; undefined where all stay.
 * @throws {HostError} where they must not be removed, or where the plan did not show them
 */
export async function planExisting({
	ruleSet,
	existing,
	backend,
	cleanups: planned,
}: ChangeRequest): Promise<ExistingRules | undefined> {
	if (keepsAll(existing)) {
		return undefined;
	}

	const [snapshots, switchOff] = await Promise.all([
		readSnapshots(
			ruleSet.families.map(({family}) => family),
			backend,
		),
		planSwitchOff(existing.switchOff),
	]);
	const cleanups = planSnapshotCleanups(snapshots, existing);
	if (cleanups instanceof HostError) {
		throw cleanups;
	}

	if (planned !== undefined) {
		assertAsPlanned(planned, cleanups);
	}

	return {before: beforeOf(snapshots), cleanups, switchOff};
}

/** The way back of a change, and the script that goes it. */
export type PlannedRollback = {readonly rollback: Rollback; readonly script: string};

/**
 * Plans the way back of a change, before anything is touched.
 * @throws {HostError} where rules before it could not be put back as they are
 */
export function planRollback(
	id: number,
	{ruleSet, backend}: ChangeRequest,
	before: Before,
	{cleanups, switchOff}: Pick<ExistingRules, 'cleanups' | 'switchOff'> = NO_OTHERS,
): PlannedRollback {
	const cleanupsWhere = (wanted: boolean) =>
		cleanups.filter(({snapshot}) => snapshot.inUse === wanted);
	const families = ruleSet.families.flatMap((after): FamilyChange[] => {
		const saved = before.get(after.family);
		assertWritable(saved ? ownChains(saved.rules).flatMap((own) => ownRulesOf(own, saved)) : []);
		const program = programOfBackend(after.family, backend);
		const part = cleanupsWhere(true).find(({snapshot}) => snapshot.family === after.family);
		return saved ? [{before: saved, after, program, cleanup: part}] : [];
	});
	const others = cleanupsWhere(false).flatMap((part) => {
		const program = findProgram(programFor(part.snapshot));
		return program ? [{program, cleanup: part}] : [];
	});
	const rollback = {
		...{id, folder: folderOf(id), journal: JOURNAL_FILE, families, others},
		...{firewalld: switchOff.firewalld, unsaved: switchOff.unsaved},
		tell: !isRehearsal(),
	};
	return {rollback, script: printRollbackScript(rollback)};
}

/** Records a change and its rollback script, before anything is touched. */
export function recordChange(
	id: number,
	{policy, appliedFrom, seconds, persistence, existing, savedEdits, known}: ChangeRequest,
	{script}: PlannedRollback,
	{cleanups, switchOff}: Pick<ExistingRules, 'cleanups' | 'switchOff'> = NO_OTHERS,
): void {
	const files = {
		[POLICY_FILE]: {text: printPolicy(policy), mode: 0o600},
		...persistence.keep.files,
		...switchOff.keep.files,
		...Object.fromEntries(
			savedEdits.map(({file, text}) => [file, {text, mode: statSync(file).mode & 0o7777}]),
		),
	};
	const gone = [
		...cleanups.map(({cleanup}) => describeCleanup(cleanup)),
		...savedEdits.map(describeSavedEdit),
		...existing.switchOff.map((name) => `${name} is switched off`),
	];
	createChange(
		{
			id,
			time: new Date().toISOString(),
			who: currentUser(),
			// Those that are open once the rules are loaded: until then nothing can confirm it.
			connections: [],
			...(appliedFrom === undefined ? {} : {appliedFrom}),
			keep: {...around(persistence.keep, switchOff.keep), files},
			undo: {
				...around(persistence.undo, switchOff.undo),
				files: readPlannedFiles(Object.keys(files)),
			},
			summary: [...policyFlags(policy), ...existingFlags(existing)].join(' '),
			...(gone.length > 0 ? {taken: gone} : {}),
			...(known.length > 0 ? {known} : {}),
			bootId: readBootId(),
			until: uptime() + seconds,
		},
		script,
	);
}

const NO_OTHERS: Pick<ExistingRules, 'cleanups' | 'switchOff'> = {
	cleanups: [],
	switchOff: {
		keep: {files: {}, before: [], after: []},
		undo: {before: [], after: []},
		firewalld: false,
		unsaved: [],
	},
};

/** The commands of both: those of the first before and after those of the second. */
function around(
	first: Omit<FilePlan, 'files'>,
	second: Omit<FilePlan, 'files'>,
): Omit<FilePlan, 'files'> {
	return {
		before: [...first.before, ...second.before],
		after: [...second.after, ...first.after],
	};
}
