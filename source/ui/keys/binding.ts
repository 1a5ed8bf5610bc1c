import {lastChoice} from '../state/navigation.ts';
import type {MakeEvent} from './key-events.ts';
import {type InputMode, inputModeOf, type KeyState} from './key-state.ts';
import type {KeyName} from './presses.ts';

/** A key, what the screen calls its effect, when it works, and what it does. */
export type Binding = {
	readonly key: KeyName;
	readonly label: string | ((state: KeyState) => string);
	/** Only `?` shows it; the last line of the screen has no room. */
	readonly helpOnly?: true;
	/** A key that does the same, and that the screen does not name. */
	readonly alias?: KeyName;
	readonly when: (state: KeyState) => boolean;
	/**
	 * The effect of the key; or what handles it by itself: the list or the field of the step, or the
	 * KeyStream.
	 */
	readonly event: MakeEvent | 'list' | 'field' | 'stream';
};

/** Lists that handle their keys by themselves. */
export const LISTS = ['neighbours', 'role', 'rejection', 'apply'] as const;
/** Lists of choices with a text above them. */
export const MENUS = ['home', 'home-undo', 'welcome'] as const;
/** Where the last line has room for Esc and Ctrl-C. */
export const PLAIN = [
	...LISTS,
	...MENUS,
	'helpers',
	'ports-field',
	'proof',
	'apply-word',
	'apply-impossible',
] as const;
/** Where a line of the list of Ports has the focus. */
export const PORT_LISTS = ['ports-list', 'ports-alternatives'] as const;
/** The checklist, with a field and without. */
export const CHECKLISTS = ['checklist', 'checklist-word'] as const;

/** Whether the screen waits for one of these, and what else must be so. */
export function at(
	modes: readonly InputMode[],
	also: (state: KeyState) => boolean = () => true,
): (state: KeyState) => boolean {
	return (state) => modes.includes(inputModeOf(state)) && also(state);
}

/** Whether Esc leads anywhere. */
export function hasStepBefore({flow}: KeyState): boolean {
	return flow.step === 'home'
		? flow.view !== 'rules'
		: flow.step !== 'welcome' || flow.home !== undefined;
}

/** Whether the choices of Welcome are known; in other steps they are. */
export function isKnown({looking, flow}: KeyState): boolean {
	return !looking || flow.step !== 'welcome';
}

/** Whether the text of the step is longer than its room. */
export function scrolls({viewport: {lines, height}}: KeyState): boolean {
	return lines > height;
}

/** Whether the screen has a field that takes the keys. */
export function hasField(state: KeyState): boolean {
	return (
		at(['ports-field', 'packet', 'apply-word', 'checklist-word'])(state) ||
		(state.flow.applying.phase === 'waiting' && !state.flow.applying.keepable)
	);
}

/** Whether the list of the step has a line. */
export function hasList({flow}: KeyState): boolean {
	return lastChoice(flow) >= 0;
}

/** Whether something is typed in the field. */
export function hasText({flow}: KeyState): boolean {
	return flow.field !== '';
}

/** Whether nothing is. */
export function hasNoText({flow}: KeyState): boolean {
	return flow.field === '';
}
