import {beginChange, type PendingChange} from '../change/transaction.ts';
import {type Existing, KEEP_EXISTING} from '../existing/cleanup-plan.ts';
import type {Facts} from '../host/machine/facts.ts';
import {iptablesMissing} from '../host/machine/packages.ts';
import {requireIptables} from '../host/netfilter/backend.ts';
import {HostError} from '../lib/errors.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import {findInitSystem, planPersistence} from '../persistence/plan.ts';
import {findMissingRight, findUnsupported} from '../persistence/unsupported.ts';
import {type Policy, policyFlags} from '../policy/policy.ts';
import type {RuleSet} from '../ruleset/model.ts';

/** Loads a rule set as a change that waits for its confirmation. @throws {HostError} */
export async function begin(
	policy: Policy,
	ruleSet: RuleSet,
	facts: Facts,
	seconds: number,
	existing: Existing = KEEP_EXISTING,
	boot?: BootChoice,
): Promise<PendingChange> {
	const {session, iptables} = requireIptables(facts);
	const {backend} = iptables;
	const persisted = planPersistence(policy, ruleSet, backend, boot);
	return beginChange({policy, ruleSet, backend, session, seconds, existing, persisted});
}

/** Why this system does not allow rules to be loaded, or does not allow them to last. */
export function findRefusal(boot: BootChoice | undefined): HostError | undefined {
	return (
		findMissingRight() ?? (findInitSystem(boot)?.name === 'none' ? undefined : findUnsupported())
	);
}

/**
 * Why rules cannot be loaded here, with the way out; undefined when they can.
 * @param boot what the user has said of it
 */
export function findObstacle(
	facts: Facts,
	policy: Policy,
	boot?: BootChoice,
): HostError | undefined {
	const refusal = findRefusal(boot);
	if (refusal) {
		return refusal;
	}

	if (facts.iptables === undefined) {
		return iptablesMissing();
	}

	return facts.root
		? undefined
		: new HostError(
				'Only root can change the firewall',
				`Run: sudo fw-wizard apply ${policyFlags(policy).map(quoteIfNeeded).join(' ')}`,
			);
}

/** @throws {HostError} where another program owns the firewall and is not to be switched off */
export async function assertNoOwner({switchOff}: Existing): Promise<void> {
	const {findOwners} = await import('../host/netfilter/managers.ts');
	const owner = (await findOwners()).find((name) => !switchOff.includes(name));
	if (owner !== undefined) {
		throw new HostError(
			`${owner} owns the firewall of this machine`,
			`Stay with it; or let it be switched off, which undo reverses: --switch-off ${owner}`,
		);
	}
}
