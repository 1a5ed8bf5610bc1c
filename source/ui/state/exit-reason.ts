import type {Elevation} from '../../host/exec/elevation.ts';
import type {Flow, Outcome} from './state.ts';

/** How the wizard was left: after applying, from the checklist, before anything, or to go on as root. */
export type ExitReason =
	| Outcome
	| 'looked'
	| undefined
	| {readonly elevation: Elevation; readonly flow: Flow};
