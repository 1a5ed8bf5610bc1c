import {existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {uptime} from 'node:os';
import path from 'node:path';
import {removeLeftovers, syncFolder} from '../host/files/atomic-write.ts';
import {CHANGES_DIR, STATE_DIR} from './paths.ts';
import {type ChangeMeta, folderOf, type KnownDeviation, listIds, readMeta} from './record.ts';

/**
 * The state of a change is the name of one file in its folder. Renaming that file decides: of the
 * watchdog and a confirmation, only one can rename it.
 *
 *     pending ──▶ kept ──▶ done ──▶ undoing ──▶ rolled-back   (undo: the files as well)
 *        └──────▶ rolling ──────────────────────────┘        (watchdog, or given up)
 */
const CHANGE_STATES = ['pending', 'kept', 'done', 'rolling', 'undoing', 'rolled-back'] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

const PARENTS = [CHANGES_DIR, STATE_DIR, path.dirname(STATE_DIR)];

/** How many changes can be undone. */
const KEPT_CHANGES = 20;

/**
 * Marks a change as pending. Its folder is complete before that, so that whatever finds the mark
 * can roll the change back.
 * @param until seconds since the boot until which the change can be confirmed
 */
export function markPending(id: number, until: number): void {
	writeFileSync(path.join(folderOf(id), 'pending'), `${until}\n`, {mode: 0o600});
}

/**
 * The state of a change. They are looked for in the order in which they follow one another, so that none
 * is missed while it changes.
 * @returns undefined where there is no such change
 * @throws {Error} of stat(2) where that cannot be read
 */
export function stateOf(id: number): ChangeState | undefined {
	return CHANGE_STATES.find((state) => isIn(id, state));
}

function isIn(id: number, state: ChangeState): boolean {
	return statSync(path.join(folderOf(id), state), {throwIfNoEntry: false}) !== undefined;
}

/** The changes in one of these states whose record is complete, oldest first. */
export function changesIn(states: readonly ChangeState[]): readonly ChangeMeta[] {
	return listIds()
		.filter((id) => states.some((state) => isIn(id, state)))
		.flatMap((id) => readMeta(id) ?? []);
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

/** The change whose policy is in force. Records are long: no more are read than it takes. */
export function lastConfirmed(): ChangeMeta | undefined {
	let change: ChangeMeta | undefined;
	listIds().findLast((id) => {
		change = isConfirmed(id) ? readMeta(id) : undefined;
		return change !== undefined;
	});
	return change;
}

/** What the user knew of other programs' rules when the policy was applied that is in force. */
export function readKnown(confirmed = lastConfirmed()): readonly KnownDeviation[] {
	const known = confirmed?.known;
	return Array.isArray(known) ? known.filter(({what}) => typeof what === 'string') : [];
}

/** The change that waits for its confirmation, if any. */
export function findPending(): number | undefined {
	return changesIn(['pending']).findLast(
		(change) => effectiveState(change) === 'pending' && isLoaded(change.id),
	)?.id;
}

/**
 * Removes folders that a crash left before there was a change, and all but the newest changes. A change
 * that removed rules of other programs is remembered for as long as they can be restored.
 */
export function pruneChanges(): void {
	const ids = listIds();
	const states = new Map(ids.map((id) => [id, stateOf(id)]));
	for (const id of ids.filter((id) => states.get(id) === undefined)) {
		rmSync(folderOf(id), {recursive: true, force: true});
	}

	for (const id of ids) {
		removeLeftovers(path.join(folderOf(id), 'meta.json'));
	}

	const old = ids.slice(0, -KEPT_CHANGES);
	for (const id of old.filter((id) => states.get(id) === 'rolled-back' || !readMeta(id)?.taken)) {
		rmSync(folderOf(id), {recursive: true, force: true});
	}
}
