import process from 'node:process';

/**
 * The meaning of a colour. Terminals draw these eight colours well on a light and on a dark
 * background.
 */
export type Tone =
	| 'accept'
	| 'reject'
	| 'drop'
	| 'added'
	| 'removed'
	| 'warning'
	| 'accent'
	| 'strong'
	| 'banner'
	| 'muted'
	| 'plain';

type Style = {
	readonly color?: 'green' | 'yellow' | 'red' | 'cyan';
	readonly dimColor?: boolean;
	readonly bold?: boolean;
	readonly inverse?: boolean;
};

const STYLES: Readonly<Record<Tone, Style>> = {
	accept: {color: 'green'},
	reject: {color: 'yellow'},
	drop: {color: 'red'},
	added: {color: 'green', bold: true},
	removed: {color: 'red', dimColor: true},
	warning: {color: 'red', bold: true},
	accent: {color: 'cyan', bold: true},
	strong: {bold: true},
	banner: {color: 'yellow', inverse: true},
	muted: {dimColor: true},
	plain: {},
};

/** The properties of Ink's Text for a tone. */
export function styleOf(tone: Tone): Style {
	return STYLES[tone];
}

/**
 * A text in a tone, with the escape sequences of ECMA-48 8.3.117, for frames that are drawn without
 * Ink.
 */
export function paint(text: string, tone: Tone): string {
	const {color, dimColor, bold, inverse} = STYLES[tone];
	const codes = [
		...(bold ? [1] : []),
		...(dimColor ? [2] : []),
		...(inverse ? [7] : []),
		...(color ? [{red: 31, green: 32, yellow: 33, cyan: 36}[color]] : []),
	];
	return codes.length === 0 ? text : `\u001B[${codes.join(';')}m${text}\u001B[0m`;
}

const UNICODE = {
	pointer: '❯',
	done: '✔',
	failed: '✖',
	open: '○',
	line: '─',
	side: '│',
	step: '›',
	more: '…',
	caret: '█',
	cell: '█',
	emptyCell: '·',
};

const ASCII: typeof UNICODE = {
	pointer: '>',
	done: '*',
	failed: 'x',
	open: 'o',
	line: '-',
	side: '|',
	step: '>',
	more: '...',
	caret: '_',
	cell: '#',
	emptyCell: '.',
};

/**
 * Words in place of signs, and no decoration, since a screen reader reads everything that is
 * written.
 */
const WORDS: typeof UNICODE = {
	...ASCII,
	pointer: 'selected:',
	done: 'done:',
	failed: 'failed:',
	open: 'to do:',
	line: '',
	side: '',
	caret: '',
	cell: '',
	emptyCell: '',
};

/** Whether a screen reader reads the screen. Ink uses the same variable. */
function isScreenReader(environment: NodeJS.ProcessEnv): boolean {
	return environment.INK_SCREEN_READER === 'true';
}

export const screenReader = isScreenReader(process.env);

/**
 * The mark of a choice that is on or off. A screen reader would not read brackets, or read them as
 * noise.
 */
export function boxText(on: boolean): string {
	return screenReader ? (on ? 'checked:' : 'not checked:') : `[${on ? 'x' : ' '}]`;
}

/** The signs that this terminal can draw: ASCII without a UTF-8 locale and on the Linux console. */
export function glyphsFor(environment: NodeJS.ProcessEnv): typeof UNICODE {
	if (isScreenReader(environment)) {
		return WORDS;
	}

	const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
	return /utf-?8/i.test(locale) && environment.TERM !== 'linux' ? UNICODE : ASCII;
}

export const glyphs = glyphsFor(process.env);
