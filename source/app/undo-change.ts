import {cleanSavedCopies, type SavedCopies} from '../change/saved-copies.ts';
import {reopenInput, undoChanges, undoEverything} from '../change/undo.ts';
import {familiesHere, hostFacts} from '../host/machine/host-facts.ts';
import {findSession} from '../host/sockets/session.ts';
import {HostError} from '../lib/errors.ts';
import {joinWords} from '../lib/list.ts';
import {planRemoval} from '../persistence/plan.ts';
import {clearMotd, settleWatch} from '../persistence/watch/set-watch.ts';
import {parsePolicy} from '../policy/policy.ts';
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
	const undone = await undoChanges(id, insists ? undefined : assertNoLockout);
	await settleWatch();
	await reopenInput();
	return undone;
}

/**
 * Removes every trace of fw-wizard from this machine, also from what others have saved.
 * @throws {HostError}
 */
export async function removeEverything(): Promise<SavedCopies> {
	await undoEverything(familiesHere(), planRemoval());
	clearMotd();
	await reopenInput();
	return cleanSavedCopies();
}

/**
 * Rules that suited the user when they were made may close the port that they are connected to now.
 * @param text the policy that would be restored, as its file has it; null where there was none
 * @throws {HostError} where they could not connect again
 */
async function assertNoLockout(text: string | null): Promise<void> {
	const session = await findSession();
	if (text === null || session.kind !== 'remote') {
		return;
	}

	const {families, services} = hostFacts();
	const ruleSet = buildRuleSet(parsePolicy(text, services), {families});
	const ports = findLockouts(ruleSet, session).map(printAccessPort);
	if (ports.length > 0) {
		throw new HostError(
			`The rules from before shut ${joinWords(ports)}, through which you are connected`,
			'Nothing was changed. To put them back all the same: add --yes',
			1,
		);
	}
}
