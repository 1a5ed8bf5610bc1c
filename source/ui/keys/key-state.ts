import type {Opening} from '../../policy/opening.ts';
import type {Suggestions} from '../../services/suggest-clients.ts';
import type {Flow} from '../state/state.ts';

/** The lines of a text that scrolls, and how many of them the screen shows at a time. */
export type Viewport = {readonly lines: number; readonly height: number};

/** Everything that the meaning of a key depends on. */
export type KeyState = {
	readonly flow: Flow;
	/** The user could not log in again. */
	readonly lockedOut: boolean;
	/** The openings that would keep what the rules cut off: see `openingsToKeep`. */
	readonly cutOff: readonly Opening[];
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
	/** Packets are still sent: Enter in Proof says so first. */
	readonly proving: boolean;
	/** Facts are still looked for: Welcome has no choices yet. */
	readonly looking: boolean;
	/** For whom a port may be opened here. */
	readonly suggested: Suggestions;
};

/** What the screen waits for. It decides which bindings apply. */
export type InputMode =
	| 'home'
	/** Whether the last change is to be undone. */
	| 'home-undo'
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
	lockedOut,
	obstacle,
	offersReboot,
}: Pick<KeyState, 'flow' | 'lockedOut' | 'obstacle' | 'offersReboot'>): InputMode {
	const {step, applying, focus, view, outcome} = flow;
	if (applying.phase !== 'asking') {
		return applying.phase === 'waiting' ? 'waiting' : 'busy';
	}

	switch (step) {
		case 'home':
			return view === 'undo' ? 'home-undo' : 'home';
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
				: obstacle === undefined && lockedOut
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
		lockedOut: false,
		cutOff: [],
		obstacle: undefined,
		mendable: false,
		offersReboot: false,
		viewport: {lines: 0, height: 0},
		proving: false,
		looking: false,
		suggested: {clients: [], vpns: []},
	};
}
