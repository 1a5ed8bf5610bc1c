import process from 'node:process';
import type {PolicyFlags} from '../commands/options/policy.ts';
import type {Existing} from '../existing/cleanup-plan.ts';
import {translationLines} from '../existing/describe-choice.ts';
import {joinWords} from '../lib/list.ts';
import type {PolicyPart} from '../policy/policy.ts';

/**
 * Where a policy starts that takes the place of another firewall: with what that lets in, unless the
 * flags or a policy file say what to let in. Says on stderr what is taken over and what is not.
 * @throws {HostError} where it cannot be read
 */
export async function importExisting(
	{policy, open}: PolicyFlags,
	{switchOff}: Pick<Existing, 'switchOff'>,
): Promise<Pick<PolicyPart, 'openings'>> {
	if (switchOff.length === 0 || policy !== undefined || open !== undefined) {
		return {};
	}

	const {readTranslation} = await import('../host/netfilter/import-rules.ts');
	const found = await readTranslation(switchOff);
	const lines =
		found === undefined
			? [`What ${joinWords(switchOff)} may let in is not taken over.`]
			: translationLines(found);
	process.stderr.write(`${lines.join('\n')}\n`);
	return found === undefined ? {} : {openings: found.translation.openings};
}
