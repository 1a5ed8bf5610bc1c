import {governPublished, NOTHING_PUBLISHED} from '../../app/govern-published.ts';
import {findPublishedHere} from '../../app/published-here.ts';
import {readAppliedPolicy} from '../../change/applied.ts';
import type {Facts} from '../../host/machine/facts.ts';
import {InputError} from '../../lib/errors.ts';
import type {Policy} from '../../policy/policy.ts';
import type {PublishedChoice} from '../../policy/published.ts';
import type {Services} from '../../policy/services.ts';
import type {PolicyFlags} from './policy.ts';

/** What the user says of published ports: a policy that was written down says all that it means. */
export function saidPublished(
	{published, policy: file}: PolicyFlags,
	policy: Policy,
): PublishedChoice | undefined {
	return published ?? (file === undefined ? undefined : (policy.published ?? 'leave'));
}

/** The policy that was applied last; undefined also where its file is damaged: this one takes its place. */
export function policyInForce(services: Services): Policy | undefined {
	try {
		return readAppliedPolicy(services);
	} catch (error) {
		if (error instanceof InputError) {
			return undefined;
		}

		throw error;
	}
}

/**
 * The policy of flags as `apply` would complete it on this machine.
 * @throws {InputError} where published ports cannot be governed here
 * @throws {HostError} where a program does not say what is published
 */
export async function governHere(
	policy: Policy,
	flags: PolicyFlags,
	{root, services, networks}: Pick<Facts, 'root' | 'services' | 'networks'>,
): Promise<Policy> {
	const said = saidPublished(flags, policy);
	const here = root && said !== 'leave' ? await findPublishedHere(networks) : NOTHING_PUBLISHED;
	return governPublished(policy, here, said, policyInForce(services));
}
