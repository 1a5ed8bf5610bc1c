import {type Existing, existingFlags} from '../existing/cleanup-plan.ts';
import type {Untranslatable} from '../existing/import/result.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import type {Opening} from '../policy/opening.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';

/** What a user wants to be applied. */
export type ApplyRequest = {
	readonly policy: Policy;
	/** The text of the policy file that the policy was made from, where it was. */
	readonly basedOn?: string | undefined;
	/** Whether the user has said that the policy governs published ports, or not. Absent: yes. */
	readonly saidPublished?: boolean;
	/** What happens to the rules of other programs. */
	readonly existing: Existing;
	/** How the rules are to be loaded at boot, where the user has said it. */
	readonly boot?: BootChoice | undefined;
	/** False: it is loaded without a trial in an isolated copy first. */
	readonly rehearsal?: boolean | undefined;
	/** Confirm the change as soon as it is loaded, although no login has shown that one is possible. */
	readonly atOnce?: boolean;
	/** Openings of the policy that the user has not named: the firewall that it replaces allows them. */
	readonly imported?: readonly Opening[] | undefined;
	/** What changes where another firewall is switched off, and the user has not accepted. */
	readonly unaccepted?: readonly Untranslatable[];
};

/** The flags that make the same request on a command line. */
export function requestFlags(request: ApplyRequest): readonly string[] {
	const {policy, existing, boot, rehearsal, saidPublished} = request;
	return [
		...policyFlags(policy),
		// What is not said would be asked again.
		...(saidPublished && policy.published === undefined ? ['--published', 'leave'] : []),
		...existingFlags(existing),
		...(boot === undefined ? [] : ['--boot', boot]),
		...(rehearsal === false ? ['--no-rehearsal'] : []),
	];
}
