import {useEffect, useMemo, useRef, useState} from 'react';
import {requestFlags} from '../../app/apply-request.ts';
import type {Prover} from '../../app/prove.ts';
import type {Existing} from '../../existing/cleanup-plan.ts';
import type {Demonstration} from '../../proof/demonstrate-verdicts.ts';
import type {Proof} from '../../proof/report.ts';
import type {Observation, Progress} from '../../proof/sweep.ts';
import type {CompiledPolicy} from '../../ruleset/build.ts';

export type ProofState =
	| {readonly status: 'none'}
	| {readonly status: 'running'; readonly progress: Progress; readonly seconds: number}
	| {readonly status: 'done'; readonly proof: Proof}
	| {readonly status: 'impossible'; readonly message: string; readonly hint: string};

/** What the proof is compared with. It does not depend on the policy, and is measured once. */
export type Comparison = {
	readonly before?: readonly Observation[];
	readonly demonstration?: Demonstration;
};

/**
 * Milliseconds between two drawings of the progress, since a slow line should not be filled with
 * them.
 */
const DRAW_EVERY = 200;

/**
 * Proves a policy's rule set. The proof starts when the step is entered, and its result is kept for
 * as long as the policy stays the same.
 */
export function useProof(
	compiled: CompiledPolicy & {readonly existing: Existing},
	active: boolean,
	prover: Prover,
): {readonly proof: ProofState; readonly comparison: Comparison} {
	const key = useMemo(() => requestFlags(compiled).join(' '), [compiled]);
	const [states, setStates] = useState<Readonly<Record<string, ProofState>>>({});
	const [comparison, setComparison] = useState<Comparison>({});
	const begun = useRef(new Set<string>());

	useEffect(() => {
		if (!active || begun.current.has(key)) {
			return;
		}

		begun.current.add(key);
		const show = (state: ProofState) => setStates((all) => ({...all, [key]: state}));
		const begin = performance.now();
		let drawn = 0;
		const run = async () => {
			show({status: 'running', progress: {sent: 0, total: 1}, seconds: 0});
			try {
				const proof = await prover.prove(compiled, (progress) => {
					const now = performance.now();
					if (now - drawn > DRAW_EVERY) {
						drawn = now;
						show({status: 'running', progress, seconds: (now - begin) / 1000});
					}
				});
				show({status: 'done', proof});
			} catch (error) {
				show({status: 'impossible', ...describe(error)});
				return;
			}

			if (begun.current.size === 1) {
				const demonstration = await prover.demonstrate();
				setComparison({demonstration});
				setComparison({demonstration, before: await prover.proveBefore()});
			}
		};
		// Where the comparison fails, it is left out, and the proof itself is shown.
		void run().catch(() => {});
	}, [active, key, compiled, prover]);

	return {proof: states[key] ?? {status: 'none'}, comparison};
}

function describe(error: unknown): {message: string; hint: string} {
	const {message, hint} = error as {message?: unknown; hint?: unknown};
	return {
		message: typeof message === 'string' ? message : 'The proof failed',
		hint: typeof hint === 'string' ? hint : 'Nothing was changed',
	};
}
