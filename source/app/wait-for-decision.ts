import {setTimeout as delay} from 'node:timers/promises';
import type {ChangeState} from '../change/change-state.ts';
import type {PendingChange} from '../change/transaction.ts';
import {HostError} from '../lib/errors.ts';

/** Milliseconds between two looks whether something was decided, and whether that is carried out. */
const DECIDED_EVERY_MS = 200;
const DONE_EVERY_MS = 100;

/** How many times it is checked whether a decision is carried out, before that counts as failed. */
const DONE_TRIES = 100;

/**
 * Waits until a change is confirmed or rolled back elsewhere: by `fw-wizard confirm`, by
 * `fw-wizard undo` or by its watchdog.
 * @param interrupted rolls the change back as soon as it is aborted
 * @param onRetry is called where rolling back has failed, and is tried again
 * @throws {HostError} with exit code 4 where the change was rolled back
 */
export async function waitForDecision(
	change: PendingChange,
	{interrupted, onRetry}: {readonly interrupted: AbortSignal; readonly onRetry: () => void},
): Promise<void> {
	while (change.state() === 'pending') {
		if (interrupted.aborted) {
			await rollBackUnlessKept(change);
			break;
		}

		await delay(DECIDED_EVERY_MS);
	}

	// A confirmation writes its files now, unless its process was killed while it did. The watchdog
	// restores the old rules now, for as many tries as that takes.
	for (let tries = 0; isBusy(change.state(), tries); tries += 1) {
		if (tries === DONE_TRIES) {
			onRetry();
		}

		await delay(DONE_EVERY_MS);
	}

	if (change.state() === 'kept') {
		await change.keep();
	}

	if (change.state() !== 'done') {
		throw new HostError(
			`Change ${change.id} was not confirmed and is rolled back`,
			'The rules are as they were before',
			4,
		);
	}
}

/** @throws {HostError} where the change was not confirmed at the same moment */
async function rollBackUnlessKept(change: PendingChange): Promise<void> {
	try {
		await change.rollBack();
	} catch (error) {
		if (['kept', 'done'].includes(change.state() ?? '')) {
			return;
		}

		throw error;
	}

	throw new HostError('Interrupted', 'Rolled back. The rules are as they were before', 4);
}

/** Whether another process is still carrying the decision out. */
function isBusy(state: ChangeState | undefined, tries: number): boolean {
	return state === 'rolling' || state === 'undoing' || (state === 'kept' && tries < DONE_TRIES);
}
