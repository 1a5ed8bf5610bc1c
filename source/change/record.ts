import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {uptime} from 'node:os';
import path from 'node:path';
import {removeLeftovers, syncFolder, writeWhole} from '../host/files/atomic-write.ts';
import {readJson} from '../host/files/read-text.ts';
import {assertPrivate} from '../host/files/trust.ts';
import type {FilePlan} from './boot-files.ts';
import {CHANGES_DIR, makePrivate, STATE_DIR} from './paths.ts';

/**
 * The state of a change is the name of one file in its folder. Renaming that file decides: of the
 * watchdog and a confirmation, only one can rename it.
 *
 *     pending ──▶ kept ──▶ done ──▶ undoing ──▶ rolled-back   (undo: the files as well)
 *        └──────▶ rolling ──────────────────────────┘        (watchdog, or given up)
 */
export const CHANGE_STATES = [
	'pending',
	'kept',
	'done',
	'rolling',
	'undoing',
	'rolled-back',
] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

/** The record of a change, written before anything is touched. */
export type ChangeMeta = {
	readonly id: number;
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly who: string;
	/** The connections that were open when its rules were loaded: none shows that one can log in. */
	readonly connections: readonly string[];
	/**
	 * How the rules were applied, and from which addresses, as far as that is known. Absent where
	 * version 0.1.0 made the change: `connections` are then those from before the loading.
	 */
	readonly appliedFrom?: {
		readonly kind: 'remote' | 'console' | 'unknown';
		readonly addresses: readonly string[];
	};
	/** What confirming does, and what an undo of that does. */
	readonly keep: FilePlan;
	readonly undo: FilePlan;
	/** What the change did, in one line. */
	readonly summary: string;
	/** The rules of other programs that it removed, a line each. */
	readonly taken?: readonly string[];
	/** Which boot it belongs to (/proc/sys/kernel/random/boot_id). */
	readonly bootId: string;
	/**
	 * Until when it can be confirmed, in seconds since that boot, as it was planned. The time counts
	 * from the moment that the change is pending, and `deadlineOf` reads it from there.
	 */
	readonly until: number;
};

const PARENTS = [CHANGES_DIR, STATE_DIR, path.dirname(STATE_DIR)];

/** How many changes can be undone. */
const KEPT_CHANGES = 20;

export function folderOf(id: number): string {
	return path.join(CHANGES_DIR, `${id}`);
}

export function scriptOf(id: number): string {
	return path.join(folderOf(id), 'rollback');
}

/** The next free number. */
export function nextId(): number {
	return Math.max(0, ...listIds()) + 1;
}

/**
 * Records a change. It counts from the moment that it is marked as pending: the script and the files
 * that the script reads are complete then.
 */
export function createChange(meta: ChangeMeta, script: string): void {
	makePrivate(CHANGES_DIR);
	mkdirSync(folderOf(meta.id), {mode: 0o700});
	writeWhole(scriptOf(meta.id), script, 0o600);
	writeMeta(meta);
}

/**
 * Marks a change as pending. Its folder is complete before that, so that whatever finds the mark
 * can roll the change back.
 * @param until seconds since the boot until which the change can be confirmed
 */
export function markPending(id: number, until: number): void {
	writeFileSync(path.join(folderOf(id), 'pending'), `${until}\n`, {mode: 0o600});
}

/** Records the connections that are open once the rules of a change are loaded. */
export function recordConnections(id: number, connections: readonly string[]): void {
	const meta = readMeta(id);
	if (meta) {
		writeMeta({...meta, connections});
	}
}

function writeMeta(meta: ChangeMeta): void {
	writeWhole(path.join(folderOf(meta.id), 'meta.json'), JSON.stringify(meta), 0o600);
}

/** Removes the record of a change that was not begun. */
export function dropChange(id: number): void {
	rmSync(folderOf(id), {recursive: true, force: true});
}

/** All changes whose record is complete, oldest first. */
export function listChanges(): readonly ChangeMeta[] {
	return listIds().flatMap((id) => readMeta(id) ?? []);
}

/** The record of a change; undefined where it was damaged, or not written completely. */
export function readMeta(id: number): ChangeMeta | undefined {
	const meta = readJson(path.join(folderOf(id), 'meta.json'));
	return isMeta(meta) && meta.id === id ? meta : undefined;
}

/** Whether the record has every field that the program reads without checking. */
function isMeta(value: unknown): value is ChangeMeta {
	const {time, who, summary, connections, keep, undo} = Object(value) as Partial<ChangeMeta>;
	return (
		[time, who, summary].every((text) => typeof text === 'string') &&
		Array.isArray(connections) &&
		[keep, undo].every(
			(keeping) =>
				typeof keeping?.files === 'object' &&
				Array.isArray(keeping.before) &&
				Array.isArray(keeping.after),
		)
	);
}

/**
 * The state of a change. They are looked for in the order in which they follow one another, so that none
 * is missed while it changes.
 * @returns undefined where there is no such change
 * @throws {Error} of stat(2) where that cannot be read
 */
export function stateOf(id: number): ChangeState | undefined {
	return CHANGE_STATES.find(
		(state) => statSync(path.join(folderOf(id), state), {throwIfNoEntry: false}) !== undefined,
	);
}

/** Whether a change is confirmed, be it that its files are still written. */
export function isConfirmed(id: number): boolean {
	return ['kept', 'done'].includes(stateOf(id) ?? '');
}

/** Whether the change still has to be confirmed, rolled back or completed. */
export function isUnfinished(state: ChangeState | undefined): boolean {
	return state !== undefined && state !== 'done' && state !== 'rolled-back';
}

/**
 * Seconds that the watchdog may take to begin before others roll back in its place. It writes to the
 * journal and tells everybody who is logged in, so that it goes first.
 */
export const WATCHDOG_DELAY = 2;

/** Seconds that the version before gave, which recorded the time before it had loaded anything. */
const RECORDED_EARLY = 10;

/** Until when a change can be confirmed, in seconds since its boot. */
export function deadlineOf({id, until}: ChangeMeta): number {
	for (const state of ['pending', 'rolling', 'kept'] as const) {
		try {
			const mark = Number.parseFloat(readFileSync(path.join(folderOf(id), state), 'utf8'));
			return Number.isFinite(mark) ? mark : until + RECORDED_EARLY;
		} catch {
			// The change is in another state.
		}
	}

	return until;
}

/** Whether the time to confirm a change is over. */
export function isOver(change: ChangeMeta): boolean {
	return change.bootId !== readBootId() || uptime() >= deadlineOf(change);
}

/** Whether the watchdog should have begun to roll a change back by now. */
export function isOverdue(change: ChangeMeta): boolean {
	return change.bootId !== readBootId() || uptime() >= deadlineOf(change) + WATCHDOG_DELAY;
}

/** The identifier of this boot: a boot restores the rules from before a change that was pending. */
export function readBootId(): string {
	return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** The state of a change, where a boot in between counts even though it was not recorded yet. */
export function effectiveState({id, bootId}: ChangeMeta): ChangeState | undefined {
	const state = stateOf(id);
	return state === 'pending' && bootId !== readBootId() ? 'rolled-back' : state;
}

/**
 * Moves a change from one state to the next, so that a power cut does not take that back. The first move
 * makes the record and its folders last as well.
 * @returns false where it was in another state already
 */
export function moveState(id: number, from: ChangeState, to: ChangeState): boolean {
	try {
		renameSync(path.join(folderOf(id), from), path.join(folderOf(id), to));
		syncFolder(folderOf(id));
		for (const folder of from === 'pending' ? PARENTS : []) {
			syncFolder(folder);
		}

		return true;
	} catch (error) {
		// A read-only disk refuses before it looks for the file.
		if (!existsSync(path.join(folderOf(id), from))) {
			return false;
		}

		throw error;
	}
}

/**
 * Notes that the rules of a pending change are loaded completely and read back: it may be
 * confirmed.
 */
export function markLoaded(id: number, rules: string): void {
	writeFileSync(path.join(folderOf(id), 'loaded'), rules, {mode: 0o600});
}

export function isLoaded(id: number): boolean {
	return existsSync(path.join(folderOf(id), 'loaded'));
}

/**
 * Removes folders that a crash left before there was a change, and all but the newest changes. A change
 * that removed rules of other programs is remembered for as long as they can be restored.
 */
export function pruneChanges(): void {
	const cleanup = new Set(listChanges().flatMap(({id, taken}) => (taken ? id : [])));
	const ids = listIds();
	for (const id of ids.filter((id) => stateOf(id) === undefined)) {
		rmSync(folderOf(id), {recursive: true, force: true});
	}

	for (const id of ids) {
		removeLeftovers(path.join(folderOf(id), 'meta.json'));
	}

	const old = ids.slice(0, -KEPT_CHANGES);
	for (const id of old.filter((id) => !cleanup.has(id) || stateOf(id) === 'rolled-back')) {
		rmSync(folderOf(id), {recursive: true, force: true});
	}
}

/**
 * The numbers of all recorded changes, oldest first.
 * @throws {HostError} where others than root could have written it
 */
export function listIds(): readonly number[] {
	assertPrivate(STATE_DIR);
	assertPrivate(CHANGES_DIR);
	const ids = (existsSync(CHANGES_DIR) ? readdirSync(CHANGES_DIR) : [])
		.filter((name) => /^\d{1,15}$/.test(name))
		.map(Number)
		.sort((a, b) => a - b);
	for (const id of ids) {
		assertPrivate(folderOf(id));
	}

	return ids;
}

/** The change that waits for its confirmation, if any. */
export function findPending(): number | undefined {
	return listChanges().findLast(
		(change) => effectiveState(change) === 'pending' && isLoaded(change.id),
	)?.id;
}
