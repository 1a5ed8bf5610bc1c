import {setTimeout as delay} from 'node:timers/promises';
import {firstLine, run} from '../host/exec/run.ts';
import {syncFolder} from '../host/files/atomic-write.ts';
import {assertTrusted} from '../host/files/trust.ts';
import {commandLine} from '../lib/command-line.ts';
import {explainError, HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {applyFilePlan} from './boot-files.ts';
import {type ChangeState, isConfirmed, isUnfinished, moveState, stateOf} from './change-state.ts';
import {writeJournal} from './journal.ts';
import {withChange} from './lock.ts';
import {folderOf, readMeta, scriptOf} from './record.ts';
import {disarmWatchdog} from './watchdog.ts';

/** The error of a roll back that came after the confirmation. */
function confirmedMeanwhile(id: number): HostError {
	return new HostError(
		`Change ${id} was confirmed meanwhile, and stays`,
		`To restore the rules from before: ${commandLine('undo')}`,
	);
}

/** The same error, which also says that the old rules are restored, and what is not. */
export function rolledBack(error: unknown, rest?: string): unknown {
	const explained = explainError(error);
	return explained instanceof HostError
		? new HostError(
				explained.message,
				['Rolled back. The rules are as they were before.', rest, explained.hint]
					.filter((sentence) => sentence !== undefined)
					.join(' '),
				4,
			)
		: error;
}

/** How often, ten times a second, a roll back looks whether the watchdog has succeeded in its place. */
const SETTLE_TRIES = 100;

/**
 * Restores the rules that a change has replaced which is not confirmed.
 * @param tries as `SETTLE_TRIES`; 0 for a caller that tries again by itself
 * @throws {HostError} when that fails, or when the change was confirmed meanwhile
 */
export async function rollBack(
	id: number,
	what: 'apply' | 'roll back' | 'undo',
	why: string,
	tries = SETTLE_TRIES,
): Promise<void> {
	const state = stateOf(id);
	if (isConfirmed(id)) {
		throw confirmedMeanwhile(id);
	}

	if (state === 'undoing') {
		await undoKept(id, what, why);
	} else if (state !== 'rolled-back') {
		// Otherwise the watchdog has rolled back already, and recorded that.
		await restoreRules(id, what, why, tries);
	}
}

/**
 * Restores what a confirmed change has replaced: its rules and its files.
 * @throws {HostError} when that fails
 */
export async function undoKept(
	id: number,
	what: 'roll back' | 'apply' | 'undo',
	why: string,
): Promise<void> {
	await withChange(id, async () => takeBack(id, what, why));
}

/** The same for a caller that has the lock of the change. */
export async function takeBack(
	id: number,
	what: 'apply' | 'roll back' | 'undo',
	why: string,
): Promise<void> {
	// A state of its own: the watchdog, which does not restore files, must not continue it. It lasts before
	// a file is written: after a power cut the next command goes on.
	moveState(id, 'kept', 'undoing');
	moveState(id, 'done', 'undoing');
	if (stateOf(id) !== 'undoing') {
		return;
	}

	let unwritten: unknown;
	try {
		await restoreFiles(id);
	} catch (error) {
		unwritten = error;
	}

	await restoreRules(id, what, why);
	if (unwritten !== undefined) {
		// The rules are restored; the next command restores the files.
		moveState(id, 'rolled-back', 'undoing');
		throw rolledBack(unwritten, 'What the next boot loads is not, yet.');
	}
}

async function restoreRules(
	id: number,
	what: 'apply' | 'roll back' | 'undo',
	why: string,
	tries = SETTLE_TRIES,
): Promise<void> {
	assertTrusted(scriptOf(id));
	const {status, stderr} = await run('sh', [scriptOf(id), 'now'], {timeout: 60_000});
	const state = await waitUntilSettled(id, tries);
	if (state === 'rolled-back') {
		await disarmWatchdog(id);
	}

	if (isConfirmed(id)) {
		throw confirmedMeanwhile(id);
	}

	const isBack = state === 'rolled-back' || (status === 0 && isUnfinished(state));
	writeJournal(id, what, `${isBack ? 'rolled back' : 'rolling back failed'}: ${why}`);
	// What comes next may rely on it: an older change is undone only where this one is.
	if (state === 'rolled-back') {
		try {
			syncFolder(folderOf(id));
		} catch {
			// The rules are restored all the same.
		}
	}

	if (isBack && state !== 'rolled-back') {
		throw new HostError(
			`${folderOf(id)} cannot be written to`,
			`Rolled back. The rules are as they were before. Make it writable, then: ${commandLine('check')}`,
			4,
		);
	}

	// Otherwise the watchdog tries it again when its time has come.
	if (state !== 'rolled-back') {
		throw new HostError(
			`The old rules could not be restored: ${printable(firstLine(stderr), 160)}`,
			`See them with iptables-save; try again with: sh ${scriptOf(id)} now`,
			4,
		);
	}
}

async function restoreFiles(id: number): Promise<void> {
	const meta = readMeta(id);
	if (meta) {
		await applyFilePlan(meta.undo);
	}
}

/** Waits until no process rolls back any more: the watchdog may be doing it at this moment. */
async function waitUntilSettled(id: number, tries: number): Promise<ChangeState | undefined> {
	const busy = () => ['rolling', 'undoing'].includes(stateOf(id) ?? '');
	for (let count = 0; count < tries && busy(); count += 1) {
		await delay(100);
	}

	return stateOf(id);
}
