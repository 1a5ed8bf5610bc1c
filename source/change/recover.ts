import {existsSync} from 'node:fs';
import {assertPrivate} from '../host/files/atomic-write.ts';
import {explainError, HostError} from '../lib/errors.ts';
import {writeJournal} from './journal.ts';
import {withLock} from './lock.ts';
import {STATE_DIR} from './paths.ts';
import {
	type ChangeMeta,
	isLoaded,
	isOverdue,
	isUnfinished,
	listIds,
	moveState,
	pruneChanges,
	readBootId,
	readMeta,
	stateOf,
} from './record.ts';
import {commit, rollBack} from './settle.ts';

/**
 * Clears up as the next change would, unless somebody is changing the firewall at this moment. A
 * change that can still be confirmed is left to wait, also when the program that made it is gone.
 */
export async function clearUp(): Promise<void> {
	if (!existsSync(STATE_DIR)) {
		return;
	}

	assertPrivate(STATE_DIR);
	try {
		await withLock(async () => recover(canBeConfirmed));
	} catch (error) {
		// Whoever looks on sees what is wrong then.
		if (!(explainError(error) instanceof HostError)) {
			throw error;
		}
	}
}

/** Of a watchdog that was killed too, nobody would be told that the time is over. */
function canBeConfirmed(change: ChangeMeta): boolean {
	return stateOf(change.id) === 'pending' && isLoaded(change.id) && !isOverdue(change);
}

/** Clears up after a program that was killed: what was decided is finished, what was not is rolled back. */
export async function recover(
	isLeft: (change: ChangeMeta) => boolean = () => false,
): Promise<void> {
	pruneChanges();
	for (const id of listIds()) {
		const change = readMeta(id);
		const state = stateOf(id);
		if (change === undefined) {
			// Its record was damaged. The way back needs none; the way on does.
			await (isUnfinished(state) && rollBack(id, 'roll back', 'its record is damaged'));
		} else if (state === 'kept') {
			await commit(id);
		} else if (state === 'pending' && change.bootId !== readBootId()) {
			// The boot has put back what was there before.
			moveState(id, 'pending', 'rolling');
			moveState(id, 'rolling', 'rolled-back');
			writeJournal(id, 'roll back', 'rolled back: the machine was booted before it was confirmed');
		} else if (isLeft(change)) {
			// Its watchdog or its maker decides.
		} else if (isUnfinished(state)) {
			await rollBack(id, 'roll back', 'it was cut off');
		}
	}
}
