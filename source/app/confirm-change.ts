import {findPending} from '../change/change-state.ts';
import {keepChange, notInTime} from '../change/confirm.ts';
import {NEW_CONNECTION} from '../change/confirm-time.ts';
import {type ChangeMeta, readMeta} from '../change/record.ts';
import {rollBackOverdue} from '../change/recover.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {evidenceOf, judgeSession} from './judge-login.ts';

/**
 * Confirms the change that waits. A session that does not show that the administrator can log in
 * confirms only where it insists.
 * @param insists whether the user confirms without such a login
 * @returns the change that is confirmed
 * @throws {HostError} with exit code 1 where no change waits, or where the session shows nothing
 */
export async function confirmChange(insists: boolean): Promise<ChangeMeta> {
	const [late] = await rollBackOverdue();
	if (late !== undefined) {
		throw notInTime(late);
	}

	const id = findPending();
	const change = id === undefined ? undefined : readMeta(id);
	if (id === undefined || change === undefined) {
		throw new HostError(
			'No change waits to be confirmed',
			`See what was done with: ${commandLine('undo --list')}`,
			1,
		);
	}

	const doubt = insists ? undefined : await judgeSession(evidenceOf(id));
	if (doubt !== undefined) {
		throw new HostError(
			doubt,
			`Log in again (${NEW_CONNECTION}) and run it there; or to keep the rules all the same: ${commandLine('confirm keep')}`,
			1,
		);
	}

	await keepChange(id);
	return change;
}
