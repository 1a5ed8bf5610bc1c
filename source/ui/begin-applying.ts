import type {Beside} from '../app/beside-policy.ts';
import {assertNoOwner} from '../app/obstacle.ts';
import type {ApplyPlan} from '../app/plan-apply.ts';
import {startChange} from '../app/start-change.ts';
import {describeError, HostError} from '../lib/errors.ts';
import {describeLoaded} from '../ruleset/print-rule-set.ts';
import type {Pending} from './hooks/use-apply.ts';
import type {Outcome} from './state/state.ts';

/**
 * Loads a plan for the wizard, and puts its result into words. Never throws.
 * @param beside what the user was told of other programs' rules; absent where that is not known yet
 */
export async function beginApplying(
	plan: ApplyPlan,
	seconds: number,
	beside?: Beside,
): Promise<Pending | Outcome> {
	try {
		// Another firewall may have been started since the plan was made.
		await assertNoOwner(plan.existing);
		const change = await startChange(plan, seconds, beside);
		const kept = (): Outcome => ({
			ok: true,
			message: `${describeLoaded(plan.ruleSet)} Confirmed as change ${change.id}.`,
		});
		const decide = async (action: () => Promise<void>, then: () => Outcome): Promise<Outcome> => {
			try {
				await action();
				return then();
			} catch (error) {
				return failureOf(error, true);
			} finally {
				await change.release();
			}
		};
		return {
			look() {
				const {state, secondsLeft, logins, doubt, proven, beside: lines} = change.look();
				const settled = state === 'done' ? kept() : state === 'rolled-back' ? TOO_LATE : undefined;
				if (settled) {
					void change.release();
				}

				return {
					...(settled ? {outcome: settled} : {}),
					secondsLeft,
					logins,
					...(doubt === undefined ? {} : {doubt}),
					keepable: proven,
					...(lines.length > 0 ? {beside: lines} : {}),
				};
			},
			keep: async () => decide(change.keep, kept),
			rollBack: async () => decide(change.rollBack, () => GIVEN_UP),
		};
	} catch (error) {
		return failureOf(error);
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

/** What went wrong while rules were loaded, confirmed or rolled back, and what the user can do. */
function failureOf(error: unknown, rolledBack = hasRolledBack(error)): Outcome & {ok: false} {
	return {
		ok: false,
		message: describeError(error),
		hint: error instanceof HostError ? error.hint : 'Please report it',
		rolledBack,
		...(rolledBack || error instanceof HostError ? {} : {unsure: true}),
	};
}

/** The same of an undo, which has changed nothing only where it was refused. */
export function undoFailureOf(error: unknown): Outcome & {ok: false} {
	const failure = failureOf(error);
	const refused = error instanceof HostError && error.exitCode === 1;
	return refused || failure.rolledBack ? failure : {...failure, unsure: true};
}

function hasRolledBack(error: unknown): boolean {
	return error instanceof HostError && error.exitCode === 4;
}
