import process from 'node:process';
import {importExisting} from '../../app/import-existing.ts';
import type {Existing} from '../../existing/cleanup-plan.ts';
import {translationLines} from '../../existing/describe-choice.ts';
import {joinWords} from '../../lib/list.ts';
import type {PolicyPart} from '../../policy/policy.ts';
import type {PolicyFlags} from './policy.ts';

/**
 * The openings that a policy starts from where it takes the place of another firewall: what that
 * firewall allows, unless the flags or a policy file name openings. Prints on stderr what is imported
 * and what is not.
 * @throws {HostError} where the rules of the other firewall cannot be read
 */
export async function importOpenings(
	{policy, open}: PolicyFlags,
	{switchOff}: Pick<Existing, 'switchOff'>,
): Promise<Pick<PolicyPart, 'openings'>> {
	if (switchOff.length === 0 || policy !== undefined || open !== undefined) {
		return {};
	}

	const found = await importExisting(switchOff);
	const lines =
		found === undefined
			? [`What ${joinWords(switchOff)} may let in is not taken over.`]
			: translationLines(found);
	process.stderr.write(`${lines.join('\n')}\n`);
	return found === undefined ? {} : {openings: found.translation.openings};
}
