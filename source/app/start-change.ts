import type {ChangeState} from '../change/record.ts';
import {beginChange, type PendingChange} from '../change/transaction.ts';
import {clientOf, currentConnections, findLogins} from '../host/sockets/session.ts';
import {explainObstacle} from './obstacle.ts';
import type {ApplyPlan} from './plan-apply.ts';

/** A change whose rules are loaded, and that is rolled back unless it is confirmed in time. */
export type StartedChange = PendingChange & {
	/** How the wait for a confirmation stands. */
	readonly look: () => {
		readonly state: ChangeState | undefined;
		readonly secondsLeft: number;
		/** The addresses of logins that were made since the rules were loaded, the latest last. */
		readonly logins: readonly string[];
		/** Whether somebody has shown that a login is possible, or needs no network to log in. */
		readonly proven: boolean;
	};
};

/**
 * Loads what was planned, as a change that waits for its confirmation unless the plan confirms it at
 * once.
 * @param seconds until it is rolled back unless it is confirmed
 * @throws {InputError} where the plan would lock the user out at once; nothing was touched
 * @throws {HostError} with exit code 3 when nothing was touched, 4 when it was rolled back
 */
export async function startChange(plan: ApplyPlan, seconds: number): Promise<StartedChange> {
	if (plan.obstacle !== undefined) {
		throw explainObstacle(plan.obstacle, plan);
	}

	const {session} = plan;
	const change = await beginChange({...plan, seconds});
	if (plan.atOnce) {
		try {
			await change.keepAtOnce();
		} finally {
			await change.release();
		}
	}

	// Read only now: a login during the loading may still have been made under the old rules.
	const known = currentConnections();
	const logins = new Set<string>();
	return {
		...change,
		look() {
			// An address stays in the list when its connection has ended: the login was possible.
			for (const address of findLogins(known, clientOf(session))) {
				logins.delete(address);
				logins.add(address);
			}

			return {
				state: change.state(),
				secondsLeft: change.secondsLeft(),
				logins: [...logins],
				proven: session.kind === 'console' || logins.size > 0,
			};
		},
	};
}
