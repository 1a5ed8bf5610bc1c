import {HELPERS} from '../../policy/helpers.ts';
import type {ChecklistAction} from '../hooks/use-checklist.ts';
import type {ExitReason} from '../state/exit-reason.ts';
import {lastChoice} from '../state/navigation.ts';
import {rowsOf} from '../state/ports.ts';
import {isOnlyOn, textFor, wholeOpening} from '../state/row-openings.ts';
import {
	type FlowEvent,
	HOME_CHOICES,
	REVIEW_VIEWS,
	type StepView,
	UNDO_CHOICES,
	WELCOME_CHOICES,
} from '../state/state.ts';
import {scrollSteps} from '../text/scroll-window.ts';
import type {KeyState} from './key-state.ts';
import {lineEditOf} from './line-keys.ts';
import type {Press} from './presses.ts';

/** The effect of a key: an event of the state, or a command to the wizard around it. */
export type KeyEvent =
	| FlowEvent
	/** Shows all keys in place of the step, or hides them again. */
	| {readonly type: 'help'}
	/** Scrolls what `?` shows. */
	| {readonly type: 'scroll-help'; readonly by: number; readonly last: number}
	| {readonly type: 'leave'; readonly reason: ExitReason}
	/** Undoes the last change, and ends the wizard. */
	| {readonly type: 'undo'}
	/** Confirms the change or rolls it back, and then ends the wizard where `leave` is true. */
	| {readonly type: 'decide'; readonly how: 'keep' | 'rollBack'; readonly leave: boolean}
	| {readonly type: 'checklist'; readonly action: ChecklistAction};

/** Makes the event of a press. Undefined where the press does nothing at this moment. */
export type MakeEvent = (state: KeyState, press: Press) => KeyEvent | undefined;

/** An event that is the same in every state. */
export function emit(
	type: 'next' | 'back' | 'submit' | 'remove' | 'limit' | 'toggle-log' | 'ask-helpers' | 'help',
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

/** Continues from Proof; while it runs, the first Enter only says so. */
export const passProof: MakeEvent = ({flow, proving}) =>
	proving && flow.view !== 'unfinished' ? {type: 'view', view: 'unfinished'} : {type: 'next'};

export const leave: MakeEvent = ({flow}) => ({
	type: 'leave',
	reason: flow.parting ?? flow.outcome,
});

/**
 * Enter leaves the checklist only while its field is empty. With a word in it, the field takes the
 * key.
 */
export const leaveChecklist: MakeEvent = ({flow}) =>
	flow.field === '' ? {type: 'leave', reason: flow.parting ?? flow.outcome ?? 'looked'} : undefined;

export const keepOpen: MakeEvent = ({cutOff}) => ({type: 'open', openings: cutOff});

export const toggleFocused: MakeEvent = ({flow}) => ({type: 'toggle', index: flow.focus});

/** Chooses what is focused in Welcome and Home. */
export const chooseFocused: MakeEvent = ({flow: {step, view, focus, parting}}) => {
	const choice =
		step === 'welcome'
			? WELCOME_CHOICES[focus]
			: view === 'blocked'
				? undefined
				: (view === 'undo' ? UNDO_CHOICES : HOME_CHOICES)[focus];
	return choice === 'quit'
		? {type: 'leave', reason: parting}
		: choice === 'undo' && view === 'undo'
			? {type: 'undo'}
			: {type: 'choose', index: focus};
};

/**
 * Moves the focus by one. The list of helpers continues at its other end; that of Ports stops at
 * its last line, and above its first line is the field.
 */
export const moveFocus: MakeEvent = ({flow: {step, focus}}, {input, key}) => {
	const index = focus + (key.upArrow || input === 'k' ? -1 : 1);
	return {
		type: 'focus',
		index: step === 'helpers' ? (index + HELPERS.length) % HELPERS.length : index,
	};
};

/** Puts the focused port into the field, with clients for whom it may be opened. */
export const askClients: MakeEvent = ({flow, suggested}) => {
	const text = textFor(rowsOf(flow)[flow.focus], suggested.clients);
	return text === undefined ? undefined : {type: 'type', text};
};

export function canAskClients({flow}: KeyState): boolean {
	return wholeOpening(rowsOf(flow)[flow.focus]) !== undefined;
}

/** Opens the focused port through a private network alone; through the next one where that is so. */
export const openOnlyPrivate: MakeEvent = (state) => {
	const on = nextPrivate(state);
	return on === undefined ? undefined : {type: 'only', on};
};

/** The private network that the focused port can be opened to alone, and is not yet. */
export function nextPrivate({flow, suggested: {vpns}}: KeyState): string | undefined {
	const row = rowsOf(flow)[flow.focus];
	const now = vpns.findIndex((on) => isOnlyOn(row, on));
	return wholeOpening(row) === undefined || (now !== -1 && vpns.length === 1)
		? undefined
		: vpns[(now + 1) % vpns.length];
}

/** Puts other clients in the place of the ones that are suggested in the field. */
export const suggestNext: MakeEvent = (state) => {
	const text = withNextClients(state);
	return text === undefined ? undefined : {type: 'type', text};
};

/** The text of the field with the clients that are suggested next. Undefined where it has others. */
export function withNextClients({flow, suggested: {clients}}: KeyState): string | undefined {
	const [, subject = '', where = ''] = /^(.*?)\s*((?:from|on)\s.*)?$/i.exec(flow.field) ?? [];
	const now = clients.indexOf(where.trim());
	const next = clients[(now + 1) % clients.length];
	return subject === '' || next === undefined || (where !== '' && now === -1)
		? undefined
		: `${subject} ${next}`;
}

/** The lines of a list that are certainly on the screen with the focused one. */
const OTHER_LINES = 8;

/** Moves the focus by a page. */
export const pageFocus: MakeEvent = ({flow, viewport}, {key}) => {
	const page = Math.max(1, viewport.height - OTHER_LINES);
	return {type: 'focus', index: Math.max(0, flow.focus + (key.pageUp ? -page : page))};
};

/** Moves the focus to the first or the last line of the list. */
export const moveToEnd: MakeEvent = ({flow}, {key}) => ({
	type: 'focus',
	index: key.home || key.pageUp ? 0 : lastChoice(flow),
});

/** Shows the view of Review after (1) or before (-1) the current one. */
export function showViewBeside(by: 1 | -1): MakeEvent {
	return ({flow}) => {
		const texts: readonly StepView[] = REVIEW_VIEWS.filter((name) => name !== 'packet');
		return {
			type: 'view',
			view: texts.at((texts.indexOf(tabOf(flow.view)) + by) % texts.length) ?? 'summary',
		};
	};
}

/** The tab of Review that a view belongs to. */
export function tabOf(view: StepView): StepView {
	return view === 'all-rules' ? 'rules' : view;
}

/** Scrolls what `?` shows, where it does not fit. */
export const scrollHelp: MakeEvent = (state, press) => {
	const {lines, height} = state.viewport;
	const {upArrow, downArrow, pageUp, pageDown, home, end} = press.key;
	const isScroll = upArrow || downArrow || pageUp || pageDown || home || end;
	const event = isScroll && lines > height ? scroll(state, press) : undefined;
	return event?.type === 'scroll' ? {...event, type: 'scroll-help'} : undefined;
};

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

/**
 * Edits the text of the field. From the list of Ports, an empty field takes numbers and pasted text only: letters are
 * keys of the list.
 */
export const editField: MakeEvent = ({flow}, press) => {
	const edit = lineEditOf(press);
	if (edit === undefined || flow.step !== 'ports' || flow.focus === -1) {
		return edit && {type: 'edit', edit};
	}

	return typeof edit === 'object' && (flow.field !== '' || !/^[^\d]$/u.test(edit.insert))
		? {type: 'edit', edit}
		: undefined;
};
