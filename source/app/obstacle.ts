import type {Existing, Manager} from '../existing/cleanup-plan.ts';
import {describeSavedEdit, type SavedEdit} from '../existing/saved-rules.ts';
import {rootRequired} from '../host/exec/elevation.ts';
import {iptablesMissing} from '../host/machine/packages.ts';
import {findOwners, ownerError} from '../host/netfilter/managers.ts';
import {type HostError, InputError} from '../lib/errors.ts';
import {joinWords} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
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
	/** What another firewall opens or closes cannot be imported, and the user has not accepted that. */
	| {readonly kind: 'not-importable'; readonly error: InputError}
	/** Files would load removed rules again at boot, and the user has not decided about them. */
	| {readonly kind: 'comes-back'; readonly error: InputError}
	/** Published ports would be blocked, and the user has not decided about them. */
	| {readonly kind: 'published'; readonly error: InputError}
	/** The change is to be confirmed at once, and the user could not connect again. */
	| {readonly kind: 'lock-out'; readonly error: InputError};

/** What an obstacle is in words, and the way out. */
export function explainObstacle(obstacle: Obstacle, request: ApplyRequest): HostError | InputError {
	switch (obstacle.kind) {
		case 'no-iptables':
			return iptablesMissing();
		case 'not-root':
			return rootRequired(['apply', ...requestFlags(request)].map(quoteIfNeeded).join(' '));
		case 'other-owner':
			return ownerError(obstacle.owner);
		default:
			return obstacle.error;
	}
}

/** The obstacle where the user must accept losses first. */
export function unacceptedLosses(names: readonly string[], count: number): Obstacle {
	const rules = count === 1 ? '1 rule' : `${count} rules`;
	return {
		kind: 'not-importable',
		error: new InputError(
			`${rules} of ${joinWords(names)} cannot be imported, and what ${count === 1 ? 'it opens or closes' : 'they open or close'} would change`,
			'See the warnings above. To apply all the same: --accept-losses',
		),
	};
}

/** The obstacle where removed rules would come back with the next boot, and may lock everybody out. */
export function undecidedSaved(edits: readonly SavedEdit[]): Obstacle {
	return {
		kind: 'comes-back',
		error: new InputError(
			`The next boot loads removed rules again: ${printable(edits.map(describeSavedEdit).join('; '), 300)}`,
			'To take them out of the file as well, which undo reverses: --saved-rules edit. To leave it as it is: --saved-rules keep',
		),
	};
}

/** @throws {HostError} where another program owns the firewall now and is not to be switched off */
export async function assertNoOwner({switchOff}: Existing): Promise<void> {
	const owner = (await findOwners()).find((name) => !switchOff.includes(name));
	if (owner !== undefined) {
		throw ownerError(owner);
	}
}
