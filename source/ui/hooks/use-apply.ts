import {type Dispatch, useEffect, useRef} from 'react';
import type {Existing} from '../../existing/cleanup-plan.ts';
import type {Policy} from '../../policy/policy.ts';
import type {FlowEvent, Outcome} from '../state/state.ts';

/** A change whose rules are loaded and wait to be confirmed. None of its functions throws. */
export type Pending = {
	readonly look: () => {
		/** Absent while the change is neither confirmed nor rolled back. */
		readonly outcome?: Outcome;
		readonly secondsLeft: number;
		/** The addresses of the logins that began after the rules were loaded. */
		readonly logins: readonly string[];
		/**
		 * Whether Enter confirms without the word: a new login was seen, or the user is at the console.
		 */
		readonly keepable: boolean;
	};
	readonly keep: () => Promise<Outcome>;
	readonly rollBack: () => Promise<Outcome>;
};

/** Loads the rules of a policy, and changes the existing rules as was decided. Must not throw. */
export type Apply = (policy: Policy, existing: Existing) => Promise<Pending | Outcome>;

/** Milliseconds between two looks for a new login. */
const LOOK_EVERY = 500;

/**
 * Applies a policy for the wizard: loads the rules, waits for the confirmation, and confirms or
 * rolls back.
 */
export function useApplying(
	apply: Apply,
	dispatch: Dispatch<FlowEvent>,
): {
	readonly apply: (policy: Policy, existing: Existing) => Promise<void>;
	/** Confirms the change or rolls it back. Does nothing when no change waits. */
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
