import {type ChangeMeta, findPending, listChanges} from '../change/record.ts';
import {rollBackOverdue} from '../change/recover.ts';
import {keepChange, notInTime} from '../change/settle.ts';
import {comesFromHere, findSession, identify} from '../host/sockets/session.ts';
import {HostError} from '../lib/errors.ts';

/**
 * Confirms the change that waits. A session that was open before the change, or that comes from the
 * machine itself, does not show that a login is possible, and confirms only where it insists.
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
	const change = listChanges().find((candidate) => candidate.id === id);
	if (id === undefined || change === undefined) {
		throw new HostError(
			'No change waits to be confirmed',
			'See what was done with: fw-wizard undo --list',
			1,
		);
	}

	const session = await findSession();
	const name = identify(session);
	const old = name === change.sessionKey || change.connections.includes(name);
	const here = comesFromHere(session);
	if ((old || here) && session.kind !== 'console' && !insists) {
		throw new HostError(
			here
				? 'This login comes from the machine itself: it does not show that one can log in from outside'
				: 'This session was open before the rules were applied: it does not show that one can log in',
			'Log in anew from outside and run it there; or to keep the rules all the same: fw-wizard confirm keep',
			1,
		);
	}

	await keepChange(id);
	return change;
}
