import {type Dispatch, useEffect, useRef} from 'react';
import type {Existing} from '../../existing/cleanup-plan.ts';
import type {Policy} from '../../policy/policy.ts';
import type {FlowEvent, Outcome} from '../state/state.ts';

/** Rules that are loaded and wait to be kept. None of its functions throws. */
export type Pending = {
	readonly look: () => {
		/** Absent as long as nothing is decided. */
		readonly outcome?: Outcome;
		readonly secondsLeft: number;
		/** Addresses of new logins. */
		readonly logins: readonly string[];
		/** May be kept without typing the word: a login was seen, or this is the console. */
		readonly keepable: boolean;
	};
	readonly keep: () => Promise<Outcome>;
	readonly rollBack: () => Promise<Outcome>;
};

/** Loads the rules of a policy, and does with those of others what was decided. Must not throw. */
export type Apply = (policy: Policy, existing: Existing) => Promise<Pending | Outcome>;

/** How often the wait looks for a new login. */
const LOOK_EVERY = 500;

/** Applying as the wizard sees it: load, wait for the confirmation, and keep or roll back. */
export function useApplying(
	apply: Apply,
	dispatch: Dispatch<FlowEvent>,
): {
	readonly apply: (policy: Policy, existing: Existing) => Promise<void>;
	/** Ends the wait; does nothing when there is none. */
	readonly decide: (how: 'keep' | 'rollBack') => Promise<Outcome | undefined>;
} {
	const pending = useRef<Pending>(undefined);
	const timer = useRef<NodeJS.Timeout>(undefined);
	useEffect(() => () => clearInterval(timer.current), []);

	const finish = (outcome: Outcome) => {
		clearInterval(timer.current);
		pending.current = undefined;
		dispatch({type: 'outcome', outcome});
	};

	const look = () => {
		const seen = pending.current?.look();
		if (seen?.outcome) {
			finish(seen.outcome);
		} else if (seen) {
			dispatch({type: 'applying', applying: {phase: 'waiting', ...seen}});
		}
	};

	return {
		async apply(policy, existing) {
			dispatch({type: 'applying', applying: {phase: 'loading'}});
			const result = await apply(policy, existing);
			if ('ok' in result) {
				finish(result);
				return;
			}

			pending.current = result;
			timer.current = setInterval(look, LOOK_EVERY);
			look();
		},
		async decide(how) {
			const current = pending.current;
			if (current === undefined) {
				return undefined;
			}

			clearInterval(timer.current);
			pending.current = undefined;
			dispatch({type: 'applying', applying: {phase: 'deciding'}});
			const outcome = await current[how]();
			finish(outcome);
			return outcome;
		},
	};
}
