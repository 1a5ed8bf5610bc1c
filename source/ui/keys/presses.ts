import type {Key} from 'ink';

/** A key as Ink reports it: the character that it types, if it types one, and which key it is. */
export type Press = {readonly input: string; readonly key: Key};

/** The names of keys, as the screen writes them, and which presses each name stands for. */
const PRESSES = {
	Enter: ({key}) => key.return,
	Esc: ({key}) => key.escape,
	Space: ({input}) => input === ' ',
	Tab: ({key}) => key.tab && !key.shift,
	'Shift-Tab': ({key}) => key.tab && key.shift,
	'Tab or Esc': ({key}) => key.tab || key.escape,
	Down: ({key}) => key.downArrow,
	'Up/Down': ({key}) => key.upArrow || key.downArrow,
	'PgUp/PgDn': ({key}) => key.pageUp || key.pageDown,
	PgDn: ({key}) => key.pageDown,
	'Left/Right': ({key}) => key.leftArrow || key.rightArrow,
	'Ctrl-U/W/K': ({input, key}) => key.ctrl && 'uwk'.includes(input),
	'Home/End': ({key}) => key.home || key.end,
	Del: ({key}) => key.delete || key.backspace,
	'Ctrl-C': ({input, key}) => key.ctrl && input === 'c',
	'Ctrl-L': ({input, key}) => key.ctrl && input === 'l',
	'Ctrl-Z': ({input, key}) => key.ctrl && input === 'z',
	'j/k': (press) => letter('j')(press) || letter('k')(press),
	'?': ({input}) => input === '?',
	a: letter('a'),
	c: letter('c'),
	f: letter('f'),
	h: letter('h'),
	l: letter('l'),
	o: letter('o'),
	p: letter('p'),
	r: letter('r'),
	s: letter('s'),
	v: letter('v'),
} as const satisfies Readonly<Record<string, (press: Press) => boolean>>;

export type KeyName = keyof typeof PRESSES;

/** Whether a press is one of those that a name stands for. */
export function isPress(name: KeyName, press: Press): boolean {
	return PRESSES[name](press);
}

function letter(name: string): (press: Press) => boolean {
	return ({input, key}) => input === name && !key.ctrl && !key.meta;
}
