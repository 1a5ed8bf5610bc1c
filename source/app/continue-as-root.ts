import {type Elevated, runElevated} from '../host/exec/elevation.ts';
import type {Elevation} from '../lib/command-line.ts';
import {type ApplyRequest, requestFlags} from './apply-request.ts';

/**
 * Starts the program again as root with all answers, at the step Apply. The flags give the whole
 * policy, so that the log of sudo tells what was asked for.
 */
export async function continueAsRoot(
	how: Elevation,
	request: ApplyRequest,
	seconds: number,
): Promise<Elevated> {
	const flags = requestFlags(request);
	return runElevated(how, [...flags, '--confirm-within', `${seconds}`, '--at-apply']);
}
