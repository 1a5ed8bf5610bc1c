import {existsSync} from 'node:fs';
import {assertPrivate} from '../host/files/trust.ts';
import {hostFacts} from '../host/machine/host-facts.ts';
import {commandLine} from '../lib/command-line.ts';
import {explainError, HostError} from '../lib/errors.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import {readAppliedPolicy} from './applied.ts';
import {
	changesIn,
	isConfirmed,
	isLoaded,
	isOverdue,
	isUnfinished,
	moveState,
	pruneChanges,
	readBootId,
	stateOf,
} from './change-state.ts';
import {completeConfirmation} from './confirm.ts';
import {readOutcome, writeJournal} from './journal.ts';
import {load, readRules} from './load.ts';
import {withLock} from './lock.ts';
import {STATE_DIR} from './paths.ts';
import {type ChangeMeta, listIds, readMeta} from './record.ts';
import {rollBack, undoKept} from './roll-back.ts';

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
	const overdue = changesIn(['pending', 'rolling']).filter(
		(change) => change.bootId === readBootId() && isOverdue(change),
	);
	const rolledBack: number[] = [];
	for (const {id} of overdue) {
		try {
			await rollBack(id, 'roll back', 'it was not confirmed in time');
			rolledBack.push(id);
		} catch (error) {
			// It may have been confirmed in the last moment.
			if (!isConfirmed(id)) {
				throw error;
			}
		}
	}

	return rolledBack;
}

/**
 * Loads the rules of the policy that is applied: the power was cut while a confirmation was written, and
 * the boot may have loaded those from before.
 * @throws {HostError} where they do not load; the change stays as it is, and the next command tries again
 */
async function loadApplied(): Promise<void> {
	const {families, services} = hostFacts();
	const policy = readAppliedPolicy(services);
	if (policy !== undefined) {
		const ruleSet = buildRuleSet(policy, {families});
		try {
			await load(ruleSet, await readRules(ruleSet));
		} catch (error) {
			const hint = `These rules are confirmed, and not loaded yet. Try again: ${commandLine('check')}`;
			throw error instanceof HostError ? new HostError(error.message, hint, 4) : error;
		}
	}
}

/** Adds what the journal should end with: the power was cut after the last change was settled. */
function completeJournal(): void {
	const id = listIds().at(-1);
	const state = id === undefined ? undefined : stateOf(id);
	if (id === undefined || (state !== 'done' && state !== 'rolled-back')) {
		return;
	}

	const outcome = readOutcome(id);
	if (state === 'done' && outcome !== 'kept') {
		writeJournal(id, 'confirm', 'kept');
	} else if (state === 'rolled-back' && outcome !== 'rolled back') {
		writeJournal(id, 'roll back', 'rolled back: recorded later');
	}
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
	completeJournal();
	for (const id of listIds()) {
		const state = stateOf(id);
		if (!isUnfinished(state)) {
			continue;
		}

		const change = readMeta(id);
		if (change === undefined) {
			// The record is damaged. The rollback script does not need it; a confirmation does.
			const restore = isConfirmed(id) ? undoKept : rollBack;
			await restore(id, 'roll back', 'its record is damaged');
		} else if (state === 'kept') {
			await completeConfirmation(id, change.bootId === readBootId() ? undefined : loadApplied);
		} else if (state === 'pending' && change.bootId !== readBootId()) {
			// The boot has loaded the rules from before the change.
			moveState(id, 'pending', 'rolling');
			moveState(id, 'rolling', 'rolled-back');
			writeJournal(id, 'roll back', 'rolled back: the machine was booted before it was confirmed');
		} else if (isLeft(change)) {
			// Its watchdog decides, or a confirmation.
		} else {
			await rollBack(id, 'roll back', 'it was cut off');
		}
	}
}
