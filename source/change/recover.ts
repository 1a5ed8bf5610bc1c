import {existsSync} from 'node:fs';
import {assertPrivate} from '../host/files/trust.ts';
import {explainError, HostError} from '../lib/errors.ts';
import {writeJournal} from './journal.ts';
import {withLock} from './lock.ts';
import {STATE_DIR} from './paths.ts';
import {
	type ChangeMeta,
	isLoaded,
	isOverdue,
	isUnfinished,
	listChanges,
	listIds,
	moveState,
	pruneChanges,
	readBootId,
	readMeta,
	stateOf,
} from './record.ts';
import {commit, rollBack} from './settle.ts';

/**
 * Clears up as the next change would, unless another program is changing the firewall at this
 * moment. A change that can still be confirmed stays, also where the program that made it is gone.
 */
export async function clearUp(): Promise<void> {
	if (!existsSync(STATE_DIR)) {
		return;
	}

	assertPrivate(STATE_DIR);
	try {
		await rollBackOverdue();
		await withLock(async () => recover(canBeConfirmed));
	} catch (error) {
		// The caller looks at the machine afterwards, and sees what is wrong.
		if (!(explainError(error) instanceof HostError)) {
			throw error;
		}
	}
}

/**
 * Rolls back each change of this boot whose time is over and whose watchdog has not done so. This
 * needs no lock, which a stopped program may hold: only one of the two ways that a change can go
 * wins, and whatever has loaded its rules finds out before it loads anything more.
 * @returns the changes that were rolled back, oldest first
 * @throws {HostError} where that fails
 */
export async function rollBackOverdue(): Promise<readonly number[]> {
	const overdue = listChanges().filter(
		(change) =>
			['pending', 'rolling'].includes(stateOf(change.id) ?? '') &&
			change.bootId === readBootId() &&
			isOverdue(change),
	);
	for (const {id} of overdue) {
		await rollBack(id, 'roll back', 'it was not confirmed in time');
	}

	return overdue.map(({id}) => id);
}

/** Whether a change waits for its confirmation, and its time is not over. */
function canBeConfirmed(change: ChangeMeta): boolean {
	return stateOf(change.id) === 'pending' && isLoaded(change.id) && !isOverdue(change);
}

/**
 * Clears up after a program that was killed: finishes what was decided, and rolls back what was not.
 * @param isLeft the changes that are left as they are
 */
export async function recover(
	isLeft: (change: ChangeMeta) => boolean = () => false,
): Promise<void> {
	pruneChanges();
	for (const id of listIds()) {
		const change = readMeta(id);
		const state = stateOf(id);
		if (change === undefined) {
			// The record is damaged. The rollback script does not need it; a confirmation does.
			await (isUnfinished(state) && rollBack(id, 'roll back', 'its record is damaged'));
		} else if (state === 'kept') {
			await commit(id);
		} else if (state === 'pending' && change.bootId !== readBootId()) {
			// The boot has loaded the rules from before the change.
			moveState(id, 'pending', 'rolling');
			moveState(id, 'rolling', 'rolled-back');
			writeJournal(id, 'roll back', 'rolled back: the machine was booted before it was confirmed');
		} else if (isLeft(change)) {
			// Its watchdog decides, or a confirmation.
		} else if (isUnfinished(state)) {
			await rollBack(id, 'roll back', 'it was cut off');
		}
	}
}
