import {cleanSavedCopies, type SavedCopies} from '../change/saved-copies.ts';
import {reopenInput, undoChanges, undoEverything} from '../change/undo.ts';
import {familiesHere, hostFacts} from '../host/machine/host-facts.ts';
import {findSession} from '../host/sockets/session.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {joinWords} from '../lib/list.ts';
import {planRemoval} from '../persistence/plan.ts';
import {readWatchChoice} from '../persistence/watch/choice.ts';
import {clearTold, settleWatch} from '../persistence/watch/set-watch.ts';
import {parsePolicy} from '../policy/parse-policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import {findLockouts, printAccessPort} from '../ruleset/lockout.ts';

/**
 * Restores what was there before a change, and before all changes after it.
 * @param id the change; without it, the one that waits, or else the last one that was confirmed
 * @param insists whether the user accepts rules that would lock them out
 * @returns the changes that were undone, newest first
 * @throws {HostError} with exit code 1 where there is no such change, or the user would be locked out
 */
export async function undoChange(
	id: number | undefined,
	insists: boolean,
): Promise<readonly number[]> {
	const undone = await undoChanges(
		id,
		insists ? undefined : async (policy) => assertNoLockout(policy, id),
	);
	await settleWatch();
	await reopenInput();
	return undone;
}

/** What an undo has done, in two sentences. */
export function describeUndone(undone: readonly number[]): string {
	return `Undone: change ${undone.join(', ')}. What it changed is as it was before.`;
}

/**
 * Removes every trace of fw-wizard from this machine, also from what others have saved.
 * @throws {HostError}
 */
export async function removeEverything(): Promise<SavedCopies> {
	const watched = readWatchChoice();
	await undoEverything(familiesHere(), planRemoval());
	clearTold(watched);
	await reopenInput();
	return cleanSavedCopies();
}

/**
 * Rules that suited the user when they were made may close the port that they are connected to now.
 * @param text the policy that would be restored, as its file has it; null where there was none
 * @param id the change that is undone, where the user has named it
 * @throws {HostError} where they could not connect again
 */
async function assertNoLockout(text: string | null, id: number | undefined): Promise<void> {
	const session = await findSession();
	if (text === null || session.kind !== 'remote') {
		return;
	}

	const {families, services} = hostFacts();
	const ruleSet = buildRuleSet(parsePolicy(text, services), {families});
	const ports = findLockouts(ruleSet, session).map(printAccessPort);
	if (ports.length > 0) {
		throw new HostError(
			`The earlier rules block ${joinWords(ports)}, through which you are connected`,
			`Nothing was changed. To put them back all the same: ${commandLine(`undo${id === undefined ? '' : ` --to ${id}`} --yes`)}`,
			1,
		);
	}
}
