import process from 'node:process';
import {existingFlags} from '../existing/cleanup-plan.ts';
import {type Elevated, type Elevation, runElevated} from '../host/exec/elevation.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import {policyFlags} from '../policy/policy.ts';
import type {Flow} from '../ui/state/state.ts';

const ANNOUNCEMENTS: Readonly<Record<Elevation, string>> = {
	sudo: 'To load the rules, fw-wizard goes on as root. sudo may ask for your own password.',
	su: 'To load the rules, fw-wizard goes on as root. su asks for the password of root.',
};

/**
 * Goes on as root with all answers, at the step Apply. The flags say the whole policy, so that the
 * log of sudo tells what was asked for.
 */
export async function continueAsRoot(
	how: Elevation,
	flow: Flow,
	seconds: number,
	boot: BootChoice | undefined,
): Promise<Elevated> {
	process.stdout.write(`${ANNOUNCEMENTS[how]}\n`);
	return runElevated(how, [
		...policyFlags(flow.policy),
		...existingFlags(flow.existing),
		'--confirm-within',
		`${seconds}`,
		...(boot === undefined ? [] : ['--boot', boot]),
		'--at-apply',
	]);
}
