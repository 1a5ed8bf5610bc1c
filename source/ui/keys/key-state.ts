import type {Opening} from '../../policy/opening.ts';
import type {Flow} from '../state/state.ts';

/** The lines of a text that scrolls, and how many of them the screen shows at a time. */
export type Viewport = {readonly lines: number; readonly height: number};

/** Everything that the meaning of a key depends on. */
export type KeyState = {
	readonly flow: Flow;
	/** The openings without which this user could not log in again; empty where the rules allow it. */
	readonly missingOpenings: readonly Opening[];
	/**
	 * Why Apply cannot load the rules: it lacks root, or a reason that root would not remove.
	 * Undefined where it can.
	 */
	readonly obstacle: 'needs root' | 'impossible' | undefined;
	/** An item of the checklist has failed. */
	readonly mendable: boolean;
	/** The checklist offers to reboot, and asks for a word to be typed. */
	readonly offersReboot: boolean;
	readonly viewport: Viewport;
};

/** What the screen waits for. It decides which bindings apply. */
export type InputMode =
	| 'welcome'
	| 'neighbours'
	| 'role'
	| 'rejection'
	| 'helpers'
	| 'ports-field'
	| 'ports-list'
	| 'ports-alternatives'
	| 'review'
	| 'packet'
	| 'proof'
	/** A list of choices: load the rules, or go back. */
	| 'apply'
	/** A word to be typed, since the rules would lock this user out. */
	| 'apply-word'
	| 'apply-impossible'
	/** Rules are being loaded, confirmed or rolled back. */
	| 'busy'
	/** The rules are loaded and wait for their confirmation. */
	| 'waiting'
	| 'checklist'
	/** The checklist, with a field for the word that reboots. */
	| 'checklist-word'
	/** The rules could not be loaded, or were rolled back. */
	| 'failed';

export function inputModeOf({
	flow,
	missingOpenings,
	obstacle,
	offersReboot,
}: Pick<KeyState, 'flow' | 'missingOpenings' | 'obstacle' | 'offersReboot'>): InputMode {
	const {step, applying, focus, view, outcome} = flow;
	if (applying.phase !== 'asking') {
		return applying.phase === 'waiting' ? 'waiting' : 'busy';
	}

	switch (step) {
		case 'ports':
			return view === 'alternatives'
				? 'ports-alternatives'
				: focus === -1
					? 'ports-field'
					: 'ports-list';
		case 'review':
			return view === 'packet' ? 'packet' : 'review';
		case 'apply':
			return obstacle === 'impossible'
				? 'apply-impossible'
				: obstacle === undefined && missingOpenings.length > 0
					? 'apply-word'
					: 'apply';
		case 'result':
			return outcome?.ok === false ? 'failed' : offersReboot ? 'checklist-word' : 'checklist';
		default:
			return step;
	}
}

/** The state of keys where nothing is out of the ordinary. */
export function plainKeyState(flow: Flow): KeyState {
	return {
		flow,
		missingOpenings: [],
		obstacle: undefined,
		mendable: false,
		offersReboot: false,
		viewport: {lines: 0, height: 0},
	};
}
