import {readText} from '../host/files/read-text.ts';
import {parsePolicy} from '../policy/parse-policy.ts';
import type {Policy} from '../policy/policy.ts';
import type {Services} from '../policy/services.ts';
import {POLICY_FILE} from './paths.ts';

/**
 * The policy that was applied last and kept, or undefined.
 * @throws {InputError} when the file was damaged
 */
export function readAppliedPolicy(services: Services): Policy | undefined {
	const text = readText(POLICY_FILE);
	return text === undefined ? undefined : parsePolicy(text, services);
}
