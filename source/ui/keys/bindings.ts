import {rowsOf} from '../state/ports.ts';
import {
	act,
	decide,
	emit,
	type KeyEvent,
	leave,
	leaveChecklist,
	type MakeEvent,
	moveFocus,
	openMissing,
	scroll,
	show,
	showViewBeside,
	toggleFocused,
	typeIntoField,
} from './key-events.ts';
import {type InputMode, inputModeOf, type KeyState} from './key-state.ts';
import {isPress, type KeyName, type Press} from './presses.ts';

/** A key, what the screen calls its effect, when it works, and what it does. */
export type Binding = {
	readonly key: KeyName;
	readonly label: string;
	/** Only `?` shows it; the last line of the screen has no room. */
	readonly helpOnly?: true;
	/** A key that does the same, and that the screen does not name. */
	readonly alias?: KeyName;
	readonly when: (state: KeyState) => boolean;
	/**
	 * The effect of the key; or the component that handles it by itself: ink-select-input,
	 * ink-text-input or the KeyStream.
	 */
	readonly event: MakeEvent | 'list' | 'field' | 'stream';
};

const LISTS = ['neighbours', 'role', 'rejection', 'apply'] as const;
/** Where the last line has room for Esc and Ctrl-C. */
const PLAIN = [
	...LISTS,
	'helpers',
	'ports-field',
	'proof',
	'apply-word',
	'apply-impossible',
] as const;
const PORT_LISTS = ['ports-list', 'ports-alternatives'] as const;
const CHECKLISTS = ['checklist', 'checklist-word'] as const;
const back = emit('back');

/**
 * Every key of the wizard. The last line and `?` show the entries in this order. The most important
 * come first, since a narrow terminal shows as many as fit. At most one entry applies to a press.
 * All other keys do nothing, unless a field takes their characters: see `keyEventOf`.
 */
const BINDINGS: readonly Binding[] = [
	{key: 'o', label: 'open it', when: at(['review', 'apply-word'], isLockedOut), event: openMissing},
	{key: 'Space', label: 'on/off', when: at(['helpers']), event: toggleFocused},
	{key: 'Space', label: 'open/shut', when: at(['ports-list']), event: toggleFocused},
	// ink-select-input moves with the letters of vi as well.
	{key: 'Up/Down', label: 'move', alias: 'j/k', when: at(LISTS), event: 'list'},
	{key: 'Enter', label: 'choose', when: at(LISTS), event: 'list'},
	{key: 'l', label: 'log', when: at(['rejection']), event: emit('toggle-log')},
	{
		key: 'Enter',
		label: 'go on',
		when: at(['welcome', 'helpers', 'review', 'proof']),
		event: emit('next'),
	},
	// Enter submits and does not only continue: a text that is still in the field must not be lost.
	{key: 'Enter', label: 'go on', when: at(['ports-list']), event: emit('submit')},
	{key: 'Enter', label: 'add, or go on when empty', when: at(['ports-field']), event: 'field'},
	{
		key: 'Tab',
		label: 'do without',
		alias: 'Shift-Tab',
		when: at(['ports-list']),
		event: show('alternatives'),
	},
	{key: 'Up/Down', label: 'move', when: at(['helpers', 'ports-list']), event: moveFocus},
	{
		key: 'Down',
		label: 'list',
		when: at(['ports-field'], ({flow}) => rowsOf(flow).length > 0),
		event: moveFocus,
	},
	{
		key: 'Enter',
		label: 'keep',
		when: ({flow: {applying}}) => applying.phase === 'waiting' && applying.keepable,
		event: decide('keep'),
	},
	{key: 'Esc', label: 'old rules back', when: at(['waiting']), event: decide('rollBack')},
	{
		key: 'Ctrl-C',
		label: 'old rules back, and leave',
		when: at(['waiting']),
		event: decide('rollBack', true),
	},
	{key: 'Enter', label: 'leave', when: at(CHECKLISTS), event: leaveChecklist},
	{
		key: 'f',
		label: 'mend',
		when: at(['checklist'], ({mendable}) => mendable),
		event: act('mend'),
	},
	{
		key: 'Tab or Esc',
		label: 'back to the list',
		alias: 'Shift-Tab',
		when: at(['ports-alternatives']),
		event: show('rules'),
	},
	{key: 'Up/Down', label: 'other port', when: at(['ports-alternatives']), event: moveFocus},
	{key: 'Esc', label: 'back to the rules', when: at(['packet']), event: back},
	{key: 'Esc', label: 'back to Review', when: at(['failed']), event: back},
	{key: 'Esc', label: 'back', when: at([...PLAIN, 'ports-list', 'review']), event: back},
	{key: 'Tab', label: 'next view', when: at(['review']), event: showViewBeside(1)},
	{key: 'Up/Down', label: 'read', when: at(['review', ...CHECKLISTS]), event: scroll},
	{key: 't', label: 'try a packet', when: at(['review']), event: show('packet')},
	{key: 'e', label: 'exposure', when: at(['review']), event: show('exposure')},
	{key: 's', label: 'scanned', when: at(['checklist']), event: act('scanned')},
	{key: 'c', label: 'console tried', when: at(['checklist']), event: act('way-in')},
	{key: 'r', label: 'look again', when: at(['checklist']), event: act('check')},
	{key: 'PgUp/PgDn', label: 'read', when: at(['neighbours', 'ports-alternatives']), event: scroll},
	{key: 'Space', label: 'open/shut', when: at(['ports-alternatives']), event: toggleFocused},
	{key: 'Del', label: 'remove', when: at(['ports-list']), event: emit('remove')},
	{
		key: 'Esc',
		label: 'to the wizard',
		// The checklist after a boot leads to the wizard. After a change there is no step to go back
		// to.
		when: at(CHECKLISTS, ({flow}) => flow.outcome === undefined),
		event: back,
	},
	{
		key: 'Ctrl-C',
		label: 'leave',
		when: at([...PLAIN, 'welcome', 'packet', 'failed']),
		event: leave,
	},
	{
		key: 'o',
		label: 'open it',
		helpOnly: true,
		when: at(['apply'], isLockedOut),
		event: openMissing,
	},
	{
		key: 'Shift-Tab',
		label: 'view before',
		helpOnly: true,
		when: at(['review']),
		event: showViewBeside(-1),
	},
	{
		key: 'PgUp/PgDn',
		label: 'a page',
		helpOnly: true,
		when: at(['review', ...CHECKLISTS]),
		event: scroll,
	},
	{
		key: 'Home/End',
		label: 'first, last line',
		helpOnly: true,
		when: at(['review', ...CHECKLISTS]),
		event: scroll,
	},
	{
		key: 'Enter',
		label: 'go on',
		helpOnly: true,
		when: at(['ports-alternatives']),
		event: emit('submit'),
	},
	{
		key: 'Del',
		label: 'remove',
		helpOnly: true,
		when: at(['ports-alternatives']),
		event: emit('remove'),
	},
	{
		key: 'Ctrl-C',
		label: 'leave',
		helpOnly: true,
		when: at([...PORT_LISTS, 'review', ...CHECKLISTS]),
		event: leave,
	},
	{
		key: 'Ctrl-Z',
		label: 'to the shell, fg comes back',
		helpOnly: true,
		// The process that loads the rules must not be stopped while it does.
		when: (state) => inputModeOf(state) !== 'busy',
		event: 'stream',
	},
	{
		key: 'Ctrl-L',
		label: 'draw the screen again',
		helpOnly: true,
		when: (state) => inputModeOf(state) !== 'busy',
		event: 'stream',
	},
	{key: '?', label: 'these keys', helpOnly: true, when: () => true, event: emit('help')},
];

/** The keys that work at this moment, in their order. */
export function bindingsOf(state: KeyState): readonly Binding[] {
	return BINDINGS.filter(({when}) => when(state));
}

/**
 * The effect of a press at this moment. Undefined where it has none, or where a component handles
 * it by itself. While `?` shows the keys, every key but Ctrl-C only hides them: Enter must not load
 * rules there.
 */
export function keyEventOf(
	state: KeyState,
	press: Press,
	helpShown: boolean,
): KeyEvent | undefined {
	if (helpShown && !isPress('Ctrl-C', press)) {
		return {type: 'help'};
	}

	const binding = bindingsOf(state).find(
		({key, alias}) => isPress(key, press) || (alias !== undefined && isPress(alias, press)),
	);
	if (binding !== undefined) {
		return typeof binding.event === 'string' ? undefined : binding.event(state, press);
	}

	return at(PORT_LISTS)(state) ? typeIntoField(state, press) : undefined;
}

function at(
	modes: readonly InputMode[],
	also: (state: KeyState) => boolean = () => true,
): (state: KeyState) => boolean {
	return (state) => modes.includes(inputModeOf(state)) && also(state);
}

function isLockedOut({missingOpenings}: KeyState): boolean {
	return missingOpenings.length > 0;
}
