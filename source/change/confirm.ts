import {writeFileSync} from 'node:fs';
import {commandLine} from '../lib/command-line.ts';
import {explainError, HostError} from '../lib/errors.ts';
import {applyFilePlan} from './boot-files.ts';
import {isOver, moveState, stateOf} from './change-state.ts';
import {findDrift} from './drift.ts';
import {writeJournal} from './journal.ts';
import {withChange} from './lock.ts';
import {COMMAND_FILE} from './paths.ts';
import {folderOf, readMeta} from './record.ts';
import {rollBack, rolledBack, takeBack} from './roll-back.ts';
import {disarmWatchdog} from './watchdog.ts';

/**
 * Confirms a pending change: the next boot will load its rules. One at a time: whoever comes second waits,
 * and is told what came of it.
 * @throws {HostError} with exit code 4 when it was rolled back meanwhile, or now because it cannot be saved
 */
export async function keepChange(id: number): Promise<void> {
	await assertKeepable(id);
	await confirmLoaded(id);
}

/** The same for rules that were read back only now. @throws {HostError} as above */
export async function confirmLoaded(id: number): Promise<void> {
	const unwritten = await withChange(id, async () => {
		if (!claimConfirmation(id) && stateOf(id) !== 'kept') {
			return undefined;
		}

		try {
			await commit(id);
			return undefined;
		} catch (error) {
			// Rules that the next boot does not load must not run until then.
			await takeBack(id, 'roll back', 'it could not be written for the next boot');
			return error;
		}
	});
	if (unwritten !== undefined) {
		throw rolledBack(unwritten);
	}

	if (stateOf(id) !== 'done') {
		throw notInTime(id);
	}
}

/** The error of a confirmation that came too late. */
export function notInTime(id: number): HostError {
	return new HostError(
		`Change ${id} was not confirmed in time and is rolled back`,
		'Apply it again, if you want it',
		4,
	);
}

/** Rolls back a change whose rules were replaced by another program. @throws {HostError} then */
async function assertKeepable(id: number): Promise<void> {
	const meta = readMeta(id);
	if (meta === undefined || stateOf(id) !== 'pending') {
		return;
	}

	if (isOver(meta)) {
		// The watchdog is about to roll back, or was killed, or could not record what it did.
		await rollBack(id, 'roll back', 'it was not confirmed in time');
		return;
	}

	const drift = await findDrift(id);
	if (drift !== undefined && stateOf(id) === 'pending') {
		await rollBack(id, 'roll back', 'another program has changed its rules');
		throw rolledBack(
			new HostError(`Another program has changed the rules meanwhile. ${drift}`, 'Apply it again'),
		);
	}
}

/**
 * Claims the confirmation by a rename, which lasts before any file is written: after a power cut the
 * change is confirmed, or its files are untouched.
 * @throws {HostError} where the disk refuses that
 */
function claimConfirmation(id: number): boolean {
	try {
		return moveState(id, 'pending', 'kept');
	} catch (error) {
		throw explainError(error, folderOf(id));
	}
}

/**
 * Completes a confirmation that was cut off.
 * @param load loads the confirmed rules, where a boot may have loaded those from before
 * @throws {HostError}
 */
export async function completeConfirmation(id: number, load?: () => Promise<void>): Promise<void> {
	await withChange(id, async () => {
		if (stateOf(id) === 'kept') {
			await commit(id, load);
		}
	});
}

/**
 * Writes what a confirmed change has for the next boot. Each part may be done twice: the next command
 * finishes one that was cut off.
 */
async function commit(id: number, load?: () => Promise<void>): Promise<void> {
	const meta = readMeta(id);
	// The watchdog would find the change confirmed, and do nothing.
	await Promise.all([meta && applyFilePlan(meta.keep), disarmWatchdog(id)]);
	await load?.();
	const taken = meta?.taken ?? [];
	writeJournal(id, 'confirm', taken.length === 0 ? 'kept' : `kept; gone: ${taken.join('; ')}`);
	moveState(id, 'kept', 'done');
	noteCommand();
}

/** Scripts that run without this program name a command that works here. A disk that is full does not matter. */
function noteCommand(): void {
	try {
		writeFileSync(COMMAND_FILE, `${commandLine('check')}\n`, {mode: 0o600});
	} catch {}
}
