import {type Dispatch, useEffect, useRef} from 'react';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import {isProven} from '../../proof/report.ts';
import type {Flow, FlowEvent, Outcome} from '../state/state.ts';
import type {ProofState} from './use-proof.ts';

/** A change whose rules are loaded and wait to be confirmed. None of its functions throws. */
export type Pending = {
	readonly look: () => {
		/** Absent while the change is neither confirmed nor rolled back. */
		readonly outcome?: Outcome;
		readonly secondsLeft: number;
		/** The addresses of the logins that show that the user can log in under the new rules. */
		readonly logins: readonly string[];
		/** Why a login does not show it, as a sentence without its full stop. */
		readonly doubt?: string;
		/**
		 * Whether Enter confirms without the word: such a login was seen, or the user is at the console.
		 */
		readonly keepable: boolean;
		/** What stays open or closed beside the policy, a line each; absent until it is known. */
		readonly beside?: readonly string[];
	};
	readonly keep: () => Promise<Outcome>;
	readonly rollBack: () => Promise<Outcome>;
};

/** Loads what was planned. Must not throw. */
export type Apply = (plan: ApplyPlan) => Promise<Pending | Outcome>;

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
	readonly apply: (plan: ApplyPlan) => Promise<void>;
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
		async apply(plan) {
			dispatch({type: 'applying', applying: {phase: 'loading'}});
			const result = await apply(plan);
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

/** Applies as soon as the rules are proven, where the user waits for that: also while help is shown. */
export function useAwaitedProof(
	{view, applying}: Pick<Flow, 'view' | 'applying'>,
	proof: ProofState,
	dispatch: Dispatch<FlowEvent>,
	apply: () => void,
): void {
	const isOver = view === 'awaited' && applying.phase === 'asking' && proof.status !== 'running';
	useEffect(() => {
		if (isOver) {
			dispatch({type: 'view', view: 'rules'});
			if (proof.status === 'done' && isProven(proof.proof)) {
				apply();
			}
		}
	});
}
