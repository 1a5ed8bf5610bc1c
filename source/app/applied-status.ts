import {findPending, lastConfirmed} from '../change/change-state.ts';
import {findFact} from '../host/machine/find-fact.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import type {Policy} from '../policy/policy.ts';
import {readStatus, type Status} from './inspect/status.ts';
import {undoChange} from './undo-change.ts';

/** What is known of a firewall that was applied and confirmed here. */
export type AppliedStatus = Status & {
	readonly policy: Policy;
	readonly applied: NonNullable<Status['applied']>;
};

/** Reads it; undefined where none was applied, or where that cannot be read. */
export async function readAppliedStatus(): Promise<AppliedStatus | undefined> {
	if (lastConfirmed() === undefined) {
		return undefined;
	}

	const {value: status} = await findFact(readStatus);
	const {policy = null, applied = null} = status ?? {};
	return status === undefined || policy === null || applied === null
		? undefined
		: {...status, policy, applied};
}

/**
 * Undoes the change that the user was shown, as `fw-wizard undo` does, and no other.
 * @throws {HostError} with exit code 1 where it is not the last one any more
 */
export async function undoShown(
	shown: Pick<AppliedStatus, 'pending' | 'applied'> | undefined,
): Promise<readonly number[]> {
	const last = findPending() ?? lastConfirmed()?.id;
	if (last === undefined || last !== (shown?.pending?.id ?? shown?.applied.id)) {
		throw new HostError(
			last === undefined ? 'There is no change to undo' : `Change ${last} was made meanwhile`,
			`Nothing was undone. See the changes with: ${commandLine('undo --list')}`,
			1,
		);
	}

	return undoChange(undefined, false);
}
