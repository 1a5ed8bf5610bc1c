import process from 'node:process';
import type {ApplyRequest} from '../../app/apply-request.ts';
import {importExisting} from '../../app/import-existing.ts';
import {translationLines} from '../../existing/describe-choice.ts';
import {joinWords} from '../../lib/list.ts';
import type {Opening} from '../../policy/opening.ts';
import type {Services} from '../../policy/services.ts';
import type {ConfirmationFlags} from './confirmation.ts';
import {type ExistingFlags, readExisting} from './existing.ts';
import {type PolicyFlags, readPolicy} from './policy.ts';

export type RequestFlags = PolicyFlags &
	ExistingFlags &
	Pick<ConfirmationFlags, 'boot' | 'rehearsal'>;

/**
 * Reads what the flags ask for. A policy that takes the place of another firewall begins with what that
 * firewall allows, unless the flags or a policy file name openings; stderr then says what is imported.
 * @throws {InputError} @throws {HostError} where the rules of the other firewall cannot be read
 */
export async function readRequest(flags: RequestFlags, services: Services): Promise<ApplyRequest> {
	const {boot, open, policy: file, rehearsal = true} = flags;
	const existing = readExisting(flags);
	const {switchOff} = existing;
	let imported: readonly Opening[] | undefined;
	if (switchOff.length > 0 && file === undefined && open === undefined) {
		const found = await importExisting(switchOff);
		const lines =
			found === undefined
				? [`What ${joinWords(switchOff)} may let in is not taken over.`]
				: translationLines(found);
		process.stderr.write(`${lines.join('\n')}\n`);
		imported = found?.translation.openings;
	}

	const policy = readPolicy(flags, services, imported && {openings: imported});
	return {policy, existing, boot, imported, rehearsal};
}
