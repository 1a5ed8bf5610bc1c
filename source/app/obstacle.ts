import type {Existing} from '../existing/cleanup-plan.ts';
import {rootRequired} from '../host/exec/elevation.ts';
import {iptablesMissing} from '../host/machine/packages.ts';
import {findOwners, ownerError} from '../host/netfilter/managers.ts';
import type {HostError} from '../lib/errors.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {findInitSystem} from '../persistence/plan.ts';
import type {ApplyFacts} from './apply-facts.ts';
import {type ApplyRequest, requestFlags} from './apply-request.ts';

/** Why a plan cannot be applied on this machine. */
export type Obstacle = {
	readonly kind:
		| 'no-right'
		| 'unsupported'
		| 'no-iptables'
		| 'not-root'
		| 'other-owner'
		| 'not-removable';
	/** What is wrong, and the way out. */
	readonly error: HostError;
};

/** The first thing that prevents a request from being applied, or undefined where nothing does. */
export function findObstacle(
	request: ApplyRequest,
	{iptables, root, owners, missingRight, unsupported}: Omit<ApplyFacts, 'snapshots'>,
): Obstacle | undefined {
	const {boot, existing} = request;
	if (missingRight !== undefined) {
		return {kind: 'no-right', error: missingRight};
	}

	if (unsupported !== undefined && findInitSystem(boot)?.name !== 'none') {
		return {kind: 'unsupported', error: unsupported};
	}

	if (iptables === undefined) {
		return noIptables();
	}

	if (!root) {
		const command = ['fw-wizard', 'apply', ...requestFlags(request)].map(quoteIfNeeded).join(' ');
		return {kind: 'not-root', error: rootRequired(command)};
	}

	const owner = owners.find((name) => !existing.switchOff.includes(name));
	return owner === undefined ? undefined : {kind: 'other-owner', error: ownerError(owner)};
}

/** Without iptables there is nothing to load rules with. */
export function noIptables(): Obstacle {
	return {kind: 'no-iptables', error: iptablesMissing()};
}

/** @throws {HostError} where another program owns the firewall now and is not to be switched off */
export async function assertNoOwner({switchOff}: Existing): Promise<void> {
	const owner = (await findOwners()).find((name) => !switchOff.includes(name));
	if (owner !== undefined) {
		throw ownerError(owner);
	}
}
