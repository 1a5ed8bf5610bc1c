import {assertNoOwner, begin} from '../app/apply.ts';
import {describeLoaded} from '../change/describe-loaded.ts';
import {type Existing, KEEP_EXISTING} from '../existing/cleanup-plan.ts';
import type {Facts} from '../host/machine/facts.ts';
import {currentConnections, findLogins} from '../host/sockets/session.ts';
import {HostError} from '../lib/errors.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import type {Policy} from '../policy/policy.ts';
import {buildRuleSet} from '../ruleset/build.ts';
import type {Pending} from './hooks/use-apply.ts';
import type {Outcome} from './state/state.ts';

/** Loads the rules for the wizard, and watches for new logins while it waits. Never throws. */
export async function beginApplying(
	policy: Policy,
	facts: Facts,
	seconds: number,
	existing: Existing = KEEP_EXISTING,
	boot?: BootChoice,
): Promise<Pending | Outcome> {
	const ruleSet = buildRuleSet(policy, facts);
	try {
		await assertNoOwner(existing);
		const change = await begin(policy, ruleSet, facts, seconds, existing, boot);
		// Only now: whoever came in while they were being loaded came by the old rules.
		const known = currentConnections();
		const logins = new Set<string>();
		const kept = (): Outcome => ({
			ok: true,
			message: `${describeLoaded(ruleSet)} Kept as change ${change.id}.`,
		});
		const decide = async (action: () => Promise<void>, then: () => Outcome): Promise<Outcome> => {
			try {
				await action();
				return then();
			} catch (error) {
				return failure(error, true);
			} finally {
				await change.release();
			}
		};
		const client = facts.session.kind === 'remote' ? facts.session.client : undefined;
		return {
			look() {
				const state = change.state();
				// Who has been in has shown it, and may have gone again.
				for (const address of findLogins(known, client)) {
					logins.delete(address);
					logins.add(address);
				}

				const settled = state === 'done' ? kept() : state === 'rolled-back' ? TOO_LATE : undefined;
				if (settled) {
					void change.release();
				}

				return {
					...(settled ? {outcome: settled} : {}),
					secondsLeft: change.secondsLeft(),
					logins: [...logins],
					keepable: facts.session.kind === 'console' || logins.size > 0,
				};
			},
			keep: async () => decide(change.keep, kept),
			rollBack: async () => decide(change.rollBack, () => GIVEN_UP),
		};
	} catch (error) {
		return failure(error, error instanceof HostError && error.exitCode === 4);
	}
}

const TOO_LATE: Outcome = {
	ok: false,
	message: 'Not confirmed in time: the old rules are back',
	hint: 'The machine is as it was before',
	rolledBack: true,
};

const GIVEN_UP: Outcome = {
	ok: false,
	message: 'The old rules are back',
	hint: 'The machine is as it was before',
	rolledBack: true,
};

function failure(error: unknown, rolledBack: boolean): Outcome {
	return {
		ok: false,
		message: error instanceof Error ? error.message : String(error),
		hint: error instanceof HostError ? error.hint : 'Please report it',
		rolledBack,
	};
}
