import {readFileSync} from 'node:fs';
import {type Policy, parsePolicy} from '../policy/policy.ts';
import type {Services} from '../policy/services.ts';
import {POLICY_FILE} from './paths.ts';

/**
 * The policy that was applied last and kept, or undefined.
 * @throws {InputError} when the file was damaged
 */
export function readAppliedPolicy(services: Services): Policy | undefined {
	let text: string;
	try {
		text = readFileSync(POLICY_FILE, 'utf8');
	} catch {
		return undefined;
	}

	return parsePolicy(text, services);
}
