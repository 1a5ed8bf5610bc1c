import type {StartWizard} from '../app/wizard-request.ts';
import {readAppliedPolicy} from '../change/applied.ts';
import {CONFIRM_SECONDS} from '../change/confirm-time.ts';
import {hostFacts} from '../host/machine/host-facts.ts';
import {withoutEnded} from '../policy/ending.ts';
import type {ConfirmationFlags} from './options/confirmation.ts';
import {type ExistingFlags, readExisting} from './options/existing.ts';
import {type PolicyFlags, readPolicyPart} from './options/policy.ts';

export type WizardFlags = PolicyFlags &
	ExistingFlags &
	ConfirmationFlags & {
		/** False with --no-color. */
		readonly color?: boolean;
		/** Begin at the step Apply: root continues where an ordinary user could not. */
		readonly atApply?: boolean;
	};

/**
 * `fw-wizard` without a command: reads the flags, and starts the wizard with what they say.
 * @returns the exit code of the wizard
 * @throws {InputError}
 */
export async function wizard(flags: WizardFlags, startWizard: StartWizard): Promise<number> {
	const {atApply = false, color = true} = flags;
	const existing = readExisting(flags);
	const {boot, confirmWithin: seconds = CONFIRM_SECONDS.usual, rehearsal = true} = flags;
	const first = hostFacts();
	// An ordinary user has answered every question: the policy that was applied last must not add to that.
	const kept = atApply ? undefined : readAppliedPolicy(first.services);
	const applied = kept && {...kept, openings: withoutEnded(kept.openings)};
	const said = readPolicyPart(flags, first.services, applied?.sources);
	// A policy that is written down says all that it means, and so do the answers.
	const isWhole = atApply || applied !== undefined || flags.policy !== undefined;
	const preset = {...(isWhole ? {published: 'leave' as const} : {}), ...applied, ...said};
	return startWizard({first, preset, existing, seconds, boot, rehearsal, atApply, color});
}
