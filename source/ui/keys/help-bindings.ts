import {
	at,
	type Binding,
	CHECKLISTS,
	hasField,
	hasList,
	hasNoText,
	hasText,
	isKnown,
	MENUS,
	PORT_LISTS,
	scrolls,
} from './binding.ts';
import {
	editField,
	emit,
	keepOpen,
	leave,
	moveFocus,
	moveToEnd,
	pageFocus,
	scroll,
	showViewBeside,
} from './key-events.ts';
import {inputModeOf} from './key-state.ts';

/** The keys that only `?` shows; the last line of the screen has no room. */
export const HELP_ONLY: readonly Binding[] = [
	{
		key: 'o',
		label: 'open it',
		when: at(['apply'], ({cutOff}) => cutOff.length > 0),
		event: keepOpen,
	},
	{
		key: 'Shift-Tab',
		label: 'view before',
		when: at(['review']),
		event: showViewBeside(-1),
	},
	{
		key: 'PgUp/PgDn',
		label: 'a page',
		when: at(['review', ...CHECKLISTS]),
		event: scroll,
	},
	{
		key: 'Home/End',
		label: 'first, last line',
		when: at(['review', ...CHECKLISTS], hasNoText),
		event: scroll,
	},
	{
		key: 'PgUp/PgDn',
		label: 'a page',
		when: at(['helpers', 'ports-list']),
		event: pageFocus,
	},
	{
		key: 'PgDn',
		label: 'list',
		when: at(['ports-field'], hasList),
		event: moveFocus,
	},
	{
		key: 'Home/End',
		label: 'first, last of the list',
		when: (state) =>
			at(['helpers', ...PORT_LISTS])(state) ||
			at(['ports-field'], (field) => hasNoText(field) && hasList(field))(state),
		event: moveToEnd,
	},
	{
		key: 'Home/End',
		label: 'first, last',
		when: at(['neighbours']),
		event: 'list',
	},
	{
		key: 'Home/End',
		label: 'first, last',
		when: at(MENUS, (state) => isKnown(state) && scrolls(state)),
		event: moveToEnd,
	},
	{
		key: 'Home/End',
		label: 'first, last',
		alias: 'PgUp/PgDn',
		when: at(MENUS, (state) => isKnown(state) && !scrolls(state)),
		event: moveToEnd,
	},
	{
		key: 'Home/End',
		label: 'first, last',
		alias: 'PgUp/PgDn',
		when: at(['role', 'rejection', 'apply']),
		event: 'list',
	},
	{
		key: 'Left/Right',
		label: 'move in the text; also Home, End, Ctrl-A, Ctrl-E',
		when: (state) => hasField(state) && hasText(state),
		event: editField,
	},
	{
		key: 'Ctrl-U/W/K',
		label: 'delete to its start, a word, to its end',
		when: (state) => hasField(state) && hasText(state),
		event: editField,
	},
	{
		key: 'Enter',
		label: 'continue',
		when: at(['ports-alternatives']),
		event: emit('submit'),
	},
	{
		key: 'Del',
		label: 'remove',
		when: at(['ports-alternatives']),
		event: emit('remove'),
	},
	{
		key: 'Ctrl-C',
		label: 'quit',
		when: at([...PORT_LISTS, 'review', ...CHECKLISTS]),
		event: leave,
	},
	{
		key: 'Ctrl-Z',
		label: 'to the shell, fg returns',
		// The process that loads the rules must not be stopped while it does.
		when: (state) => inputModeOf(state) !== 'busy',
		event: 'stream',
	},
	{
		key: 'Ctrl-L',
		label: 'draw the screen again',
		when: (state) => inputModeOf(state) !== 'busy',
		event: 'stream',
	},
	{key: '?', label: 'these words and keys', when: () => true, event: emit('help')},
];
