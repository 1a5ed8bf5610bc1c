import type {ChangeState} from '../change/change-state.ts';
import type {ChangeMeta} from '../change/record.ts';
import {beginChange, type PendingChange} from '../change/transaction.ts';
import {findLogins, isOwnAddress} from '../host/sockets/logins.ts';
import {connectionKey} from '../host/sockets/proc-net.ts';
import {connectionOf, findSession, type Session} from '../host/sockets/session.ts';
import {withoutRepetition} from '../persistence/plan.ts';
import type {Beside} from './beside-policy.ts';
import {type Doubt, type Evidence, evidenceOf, judgeLogin} from './judge-login.ts';
import {explainObstacle} from './obstacle.ts';
import type {ApplyPlan} from './plan-apply.ts';

/** A change whose rules are loaded, and that is rolled back unless it is confirmed in time. */
export type StartedChange = PendingChange & {
	/** How the wait for a confirmation stands. */
	readonly look: () => {
		readonly state: ChangeState | undefined;
		readonly secondsLeft: number;
		/**
		 * The addresses of the logins since the rules were loaded that show that the administrator can
		 * log in, the latest last.
		 */
		readonly logins: readonly string[];
		/** Why a login since then does not show it. */
		readonly doubt: Doubt;
		/** Whether such a login was seen, or the user needs no network to log in. */
		readonly proven: boolean;
		/** What other programs' rules open or block against the policy, a line each. */
		readonly beside: readonly string[];
	};
};

/**
 * Loads what was planned, as a change that waits for its confirmation unless the plan confirms it at
 * once.
 * @param seconds until it is rolled back unless it is confirmed
 * @param beside what the user was told of other programs' rules; found here where it is absent
 * @param session how the user is connected, where that was just found
 * @throws {InputError} where the plan would lock the user out at once; nothing was touched
 * @throws {HostError} with exit code 3 when nothing was touched, 4 when it was rolled back
 */
export async function startChange(
	plan: ApplyPlan,
	seconds: number,
	beside?: Beside,
	session?: Session,
): Promise<StartedChange> {
	if (plan.obstacle !== undefined) {
		throw explainObstacle(plan.obstacle, plan);
	}

	const sessions = [plan.session, session ?? (await findSession())];
	const {lines, known} = beside ?? (await findBesideNow(plan));
	// Not as it was when the change was planned: a plan may be looked at for long.
	const persistence = withoutRepetition(plan.persistence, plan.boot);
	const change = await beginChange({
		...{...plan, persistence, appliedFrom: appliedFrom(sessions), seconds, known},
	});
	if (plan.atOnce) {
		try {
			await change.keepAtOnce();
		} finally {
			await change.release();
		}
	}

	const look = watchLogins(change.id, plan.session);
	return {
		...change,
		look() {
			const {logins, doubt} = look();
			return {
				state: change.state(),
				secondsLeft: change.secondsLeft(),
				logins,
				doubt,
				proven: sessions.at(-1)?.kind === 'console' || logins.length > 0,
				beside: lines,
			};
		},
	};
}

/** What is needed for it is loaded only here: `open` and `close` bring what was found. */
async function findBesideNow(plan: ApplyPlan): Promise<Beside> {
	const {findBeside} = await import('./beside-policy.ts');
	return findBeside(plan);
}

/** How the user is connected: as the program began, and now. The terminal may be that of tmux. */
function appliedFrom(sessions: readonly Session[]): ChangeMeta['appliedFrom'] {
	const addresses = sessions.flatMap((session) => connectionOf(session)?.remoteAddress ?? []);
	return {kind: sessions.at(-1)?.kind ?? 'unknown', addresses: [...new Set(addresses)]};
}

/**
 * @returns a function that looks for logins each time that it is called, and remembers those that
 * confirm, and why the last other one does not. What cannot be read just now, as where the machine has too many files open, is looked at
 * the next time: the wait must not end for that.
 */
function watchLogins(
	id: number,
	session: Session,
): () => Pick<ReturnType<StartedChange['look']>, 'logins' | 'doubt'> {
	let evidence: Evidence | undefined;
	// Both stay when their connections have ended: the logins were possible.
	const proven = new Map<string, string>();
	let doubt: Doubt;
	return () => {
		try {
			evidence ??= {...evidenceOf(id), session};
			for (const login of findLogins(new Set(evidence.change.connections))) {
				const {remoteAddress: address} = login.connection;
				const key = connectionKey(login.connection);
				if (proven.has(key) || isOwnAddress(address)) {
					continue;
				}

				const found = judgeLogin(login, evidence);
				if (found === undefined) {
					proven.set(key, address);
				} else {
					doubt = found;
				}
			}
		} catch {
			// The next look tries again.
		}

		return {logins: [...proven.values()], doubt};
	};
}
