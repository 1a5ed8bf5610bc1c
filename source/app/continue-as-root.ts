import {type Existing, existingFlags} from '../existing/cleanup-plan.ts';
import {type Elevated, type Elevation, runElevated} from '../host/exec/elevation.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';

/** What was answered so far, as root needs it to go on. */
type Answers = {
	readonly policy: Policy;
	readonly existing: Existing;
	readonly boot: BootChoice | undefined;
	/** How long a change waits for its confirmation. */
	readonly seconds: number;
};

/**
 * Starts the program again as root with all answers, at the step Apply. The flags give the whole
 * policy, so that the log of sudo tells what was asked for.
 */
export async function continueAsRoot(
	how: Elevation,
	{policy, existing, boot, seconds}: Answers,
): Promise<Elevated> {
	return runElevated(how, [
		...policyFlags(policy),
		...existingFlags(existing),
		'--confirm-within',
		`${seconds}`,
		...(boot === undefined ? [] : ['--boot', boot]),
		'--at-apply',
	]);
}
