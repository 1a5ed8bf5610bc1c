import {findPending, listChanges} from '../change/record.ts';
import {rollBackOverdue} from '../change/recover.ts';
import {keepChange, notInTime} from '../change/settle.ts';
import {comesFromHere, findSession, identify} from '../host/sockets/session.ts';
import {HostError} from '../lib/errors.ts';
import {requireRoot} from './require-root.ts';

/**
 * `fw-wizard confirm`: keeps the change that waits. From a session that was open before, or
 * that comes from the machine itself, only with the word `keep`: it proves nothing.
 * @throws {HostError} with exit code 1 when nothing waits
 */
export async function confirm(
	word: string | undefined,
	flags: {readonly json?: boolean},
): Promise<string> {
	requireRoot('fw-wizard confirm');
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
	if ((old || here) && session.kind !== 'console' && word !== 'keep') {
		throw new HostError(
			here
				? 'This login comes from the machine itself: it does not show that one can log in from outside'
				: 'This session was open before the rules were applied: it does not show that one can log in',
			'Log in anew from outside and run it there; or to keep the rules all the same: fw-wizard confirm keep',
			1,
		);
	}

	await keepChange(id);
	return flags.json
		? `${JSON.stringify({confirmed: true, change: id})}\n`
		: `Kept change ${id}: ${change.summary}\n`;
}
