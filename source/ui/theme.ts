import process from 'node:process';
import {WriteStream} from 'node:tty';

/** What a colour means. It means the same in every step. */
export type Tone =
	/** Reachable as chosen; done; well. */
	| 'good'
	/** Needs attention. */
	| 'attention'
	/** A danger to the user: locked out, cut off, reachable against the choice, failed. */
	| 'danger'
	/** A rule that the focused choice adds or removes. */
	| 'added'
	| 'removed'
	/** Where the keys act, and titles. */
	| 'accent'
	| 'strong'
	| 'banner'
	/** Secondary: what is fixed, examples, keys. */
	| 'muted'
	| 'plain';

type ColourName = 'green' | 'yellow' | 'red' | 'cyan';

type Style = {
	readonly color?: ColourName;
	readonly dimColor?: boolean;
	readonly bold?: boolean;
	readonly inverse?: boolean;
};

const STYLES: Readonly<Record<Tone, Style>> = {
	good: {color: 'green'},
	attention: {color: 'yellow'},
	danger: {color: 'red', bold: true},
	added: {color: 'green', bold: true},
	removed: {dimColor: true},
	accent: {color: 'cyan', bold: true},
	strong: {bold: true},
	banner: {color: 'yellow', inverse: true},
	muted: {dimColor: true},
	plain: {},
};

/**
 * The colours of the 256 that have a contrast of 3:1 at least (WCAG 2, 1.4.3) on a white and on a black
 * background, which the yellow of most terminals has not.
 */
export const PALETTE: Readonly<Record<ColourName, number>> = {
	green: 28,
	yellow: 136,
	red: 196,
	cyan: 31,
};

/** The eight colours of every terminal, as parameters of SGR (ECMA-48 8.3.117). */
const SGR: Readonly<Record<ColourName, number>> = {red: 31, green: 32, yellow: 33, cyan: 36};

/** Whether the terminal has 256 colours, by its name; FORCE_COLOR overrules that. */
function hasPalette(environment: NodeJS.ProcessEnv): boolean {
	return WriteStream.prototype.getColorDepth(environment) >= 8;
}

const palette = hasPalette(process.env);

/** The properties of Ink's Text for a tone. */
export function styleOf(tone: Tone): Omit<Style, 'color'> & {readonly color?: string} {
	const {color, ...style} = STYLES[tone];
	return color === undefined || !palette
		? STYLES[tone]
		: {...style, color: `ansi256(${PALETTE[color]})`};
}

/** A text in a tone, for frames that are drawn without Ink. */
export function paint(text: string, tone: Tone): string {
	const {color, dimColor, bold, inverse} = STYLES[tone];
	const codes = [
		...(bold ? [1] : []),
		...(dimColor ? [2] : []),
		...(inverse ? [7] : []),
		...(color ? [palette ? `38;5;${PALETTE[color]}` : SGR[color]] : []),
	];
	return codes.length === 0 ? text : `\u001B[${codes.join(';')}m${text}\u001B[0m`;
}

const UNICODE = {
	pointer: '❯',
	done: '✔',
	failed: '✖',
	open: '○',
	line: '─',
	step: '›',
	more: '…',
	caret: '█',
	/** The cursor between two characters. */
	caretInside: '│',
	cell: '█',
	emptyCell: '·',
	reachable: '●',
};

const ASCII: typeof UNICODE = {
	pointer: '>',
	done: '*',
	failed: 'x',
	open: 'o',
	line: '-',
	step: '>',
	more: '...',
	caret: '_',
	caretInside: '|',
	cell: '#',
	emptyCell: '.',
	reachable: 'o',
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
	caret: '',
	caretInside: '',
	cell: '',
	emptyCell: '',
	reachable: '',
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
