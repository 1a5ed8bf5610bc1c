import type {Existing, Manager} from '../existing/cleanup-plan.ts';
import {rootRequired} from '../host/exec/elevation.ts';
import {iptablesMissing} from '../host/machine/packages.ts';
import {findOwners, ownerError} from '../host/netfilter/managers.ts';
import type {HostError, InputError} from '../lib/errors.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {type ApplyRequest, requestFlags} from './apply-request.ts';

/** Why a request cannot be applied on this machine. */
export type Obstacle =
	/** Root has no right to load rules, or the system would not keep them. */
	| {readonly kind: 'no-right' | 'unsupported'; readonly error: HostError}
	| {readonly kind: 'no-iptables' | 'not-root'}
	/** Another program owns the firewall and is not to be switched off. */
	| {readonly kind: 'other-owner'; readonly owner: Manager}
	/** Rules of other programs must not be removed, or could not be restored. */
	| {readonly kind: 'not-removable'; readonly error: HostError}
	/** The change is to be confirmed at once, and the user could not connect again. */
	| {readonly kind: 'lock-out'; readonly error: InputError};

/** What an obstacle is in words, and the way out. */
export function explainObstacle(obstacle: Obstacle, request: ApplyRequest): HostError | InputError {
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
