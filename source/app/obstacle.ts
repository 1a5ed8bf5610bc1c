import type {Existing, Manager} from '../existing/cleanup-plan.ts';
import {rootRequired} from '../host/exec/elevation.ts';
import {iptablesMissing} from '../host/machine/packages.ts';
import {findOwners, ownerError} from '../host/netfilter/managers.ts';
import type {HostError} from '../lib/errors.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import type {ApplyFacts} from './apply-facts.ts';
import {type ApplyRequest, requestFlags} from './apply-request.ts';

/** Why a request cannot be applied on this machine. */
export type Obstacle =
	/** Root has no right to load rules, or the system would not keep them. */
	| {readonly kind: 'no-right' | 'unsupported'; readonly error: HostError}
	| {readonly kind: 'no-iptables' | 'not-root'}
	/** Another program owns the firewall and is not to be switched off. */
	| {readonly kind: 'other-owner'; readonly owner: Manager}
	/** Rules of other programs must not be removed, or could not be restored. */
	| {readonly kind: 'not-removable'; readonly error: HostError};

/** The first thing that prevents a request from being applied, or undefined where nothing does. */
export function findObstacle(
	{boot, existing}: ApplyRequest,
	{missingRight, unsupported, savedBoot, iptables, root, owners}: ApplyFacts,
): Obstacle | undefined {
	if (missingRight !== undefined) {
		return {kind: 'no-right', error: missingRight};
	}

	// A user who sees to the boot does not need a system that keeps the rules.
	if (unsupported !== undefined && (boot ?? savedBoot) !== 'none') {
		return {kind: 'unsupported', error: unsupported};
	}

	if (iptables === undefined || !root) {
		return {kind: iptables === undefined ? 'no-iptables' : 'not-root'};
	}

	const owner = owners.find((name) => !existing.switchOff.includes(name));
	return owner === undefined ? undefined : {kind: 'other-owner', owner};
}

/** What an obstacle is in words, and the way out. */
export function explainObstacle(obstacle: Obstacle, request: ApplyRequest): HostError {
	switch (obstacle.kind) {
		case 'no-iptables':
			return iptablesMissing();
		case 'not-root':
			return rootRequired(
				['fw-wizard', 'apply', ...requestFlags(request)].map(quoteIfNeeded).join(' '),
			);
		case 'other-owner':
			return ownerError(obstacle.owner);
		default:
			return obstacle.error;
	}
}

/** @throws {HostError} where another program owns the firewall now and is not to be switched off */
export async function assertNoOwner({switchOff}: Existing): Promise<void> {
	const owner = (await findOwners()).find((name) => !switchOff.includes(name));
	if (owner !== undefined) {
		throw ownerError(owner);
	}
}
