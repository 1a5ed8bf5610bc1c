import type {Elevation} from '../../lib/command-line.ts';
import type {Flow, Outcome} from './state.ts';

/**
 * Why the wizard ended: with the outcome of applying, from the checklist without a change
 * (`looked`), before anything was loaded (undefined), or to continue as root with all answers.
 */
export type ExitReason =
	| Outcome
	| 'looked'
	/** Changes that were undone. */
	| {readonly undone: readonly number[]}
	| undefined
	| {readonly elevation: Elevation; readonly flow: Flow};
