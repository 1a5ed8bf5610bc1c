import {HELPERS} from '../../policy/helpers.ts';
import type {ChecklistAction} from '../hooks/use-checklist.ts';
import type {ExitReason} from '../state/exit-reason.ts';
import {type FlowEvent, REVIEW_VIEWS, type StepView} from '../state/state.ts';
import {scrollSteps} from '../text/scroll-window.ts';
import type {KeyState} from './key-state.ts';
import type {Press} from './presses.ts';

/** The effect of a key: an event of the state, or a command to the wizard around it. */
export type KeyEvent =
	| FlowEvent
	/** Shows all keys in place of the step, or hides them again. */
	| {readonly type: 'help'}
	| {readonly type: 'leave'; readonly reason: ExitReason}
	/** Confirms the change or rolls it back, and then ends the wizard where `leave` is true. */
	| {readonly type: 'decide'; readonly how: 'keep' | 'rollBack'; readonly leave: boolean}
	| {readonly type: 'checklist'; readonly action: ChecklistAction};

/** Makes the event of a press. Undefined where the press does nothing at this moment. */
export type MakeEvent = (state: KeyState, press: Press) => KeyEvent | undefined;

/** An event that is the same in every state. */
export function emit(
	type: 'next' | 'back' | 'submit' | 'remove' | 'toggle-log' | 'help',
): MakeEvent {
	return () => ({type});
}

export function show(view: StepView): MakeEvent {
	return () => ({type: 'view', view});
}

export function act(action: ChecklistAction): MakeEvent {
	return () => ({type: 'checklist', action});
}

export function decide(how: 'keep' | 'rollBack', leave = false): MakeEvent {
	return () => ({type: 'decide', how, leave});
}

export const leave: MakeEvent = ({flow}) => ({type: 'leave', reason: flow.outcome});

/**
 * Enter leaves the checklist only while its field is empty. With a word in it, the field takes the
 * key.
 */
export const leaveChecklist: MakeEvent = ({flow}) =>
	flow.field === '' ? {type: 'leave', reason: flow.outcome ?? 'looked'} : undefined;

export const openMissing: MakeEvent = ({missingOpenings}) => ({
	type: 'open',
	openings: missingOpenings,
});

export const toggleFocused: MakeEvent = ({flow}) => ({type: 'toggle', index: flow.focus});

/**
 * Moves the focus by one. The list of helpers continues at its other end; that of Ports stops at
 * its last line, and above its first line is the field.
 */
export const moveFocus: MakeEvent = ({flow: {step, focus}}, {key}) => {
	const index = focus + (key.upArrow ? -1 : 1);
	return {
		type: 'focus',
		index: step === 'helpers' ? (index + HELPERS.length) % HELPERS.length : index,
	};
};

/** Shows the view of Review after (1) or before (-1) the current one. */
export function showViewBeside(by: 1 | -1): MakeEvent {
	return ({flow}) => {
		const texts: readonly StepView[] = REVIEW_VIEWS.filter((name) => name !== 'packet');
		return {
			type: 'view',
			view: texts.at((texts.indexOf(flow.view) + by) % texts.length) ?? 'rules',
		};
	};
}

export const scroll: MakeEvent = ({viewport: {lines, height}}, {key}) => {
	const {last, page} = scrollSteps(lines, height);
	const by = key.upArrow
		? -1
		: key.downArrow
			? 1
			: key.pageUp
				? -page
				: key.pageDown
					? page
					: key.home
						? -lines
						: lines;
	return {type: 'scroll', by, last};
};

/** Puts a character that was typed in the list of Ports into the field above it. */
export const typeIntoField: MakeEvent = ({flow}, {input, key}) =>
	input === '' || key.ctrl || key.meta ? undefined : {type: 'type', text: flow.field + input};
