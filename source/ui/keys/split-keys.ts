const ESC = '\u001B';
/** How a pasted text begins (bracketed paste). */
export const PASTE_BEGIN = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;
/**
 * Escape in the kitty keyboard protocol. Unlike the bare byte it cannot merge with the next one.
 */
export const ESCAPE_KEY = `${ESC}[27u`;

/** The sequences of the keys that the wizard uses, as different terminals send them. */
const SPELLINGS: Readonly<Record<string, string>> = {
	...Object.fromEntries(
		[...'ABCDHF'].flatMap((letter) => [
			[`${ESC}[${letter}`, `${ESC}[${letter}`],
			[`${ESC}O${letter}`, `${ESC}[${letter}`],
		]),
	),
	[`${ESC}[1~`]: `${ESC}[H`,
	[`${ESC}[7~`]: `${ESC}[H`,
	[`${ESC}[4~`]: `${ESC}[F`,
	[`${ESC}[8~`]: `${ESC}[F`,
	[`${ESC}[3~`]: `${ESC}[3~`,
	[`${ESC}[5~`]: `${ESC}[5~`,
	[`${ESC}[6~`]: `${ESC}[6~`,
	// Shift-Tab.
	[`${ESC}[Z`]: `${ESC}[Z`,
};

/** Ctrl-C. */
export const INTERRUPT = '\u0003';
/** Ctrl-Z. */
export const SUSPEND = '\u001A';
/** Ctrl-L. */
export const REPAINT = '\u000C';

const CONTROLS: Readonly<Record<string, string>> = {
	'\r': '\r',
	'\n': '\r',
	'\t': '\t',
	'\b': '\u007F',
	'\u007F': '\u007F',
	[INTERRUPT]: INTERRUPT,
	[SUSPEND]: SUSPEND,
	[REPAINT]: REPAINT,
	// The keys of a shell's line with Ctrl: A, B, D, E, F, K, U and W.
	...Object.fromEntries(
		['\u0001', '\u0002', '\u0004', '\u0005', '\u0006', '\u000B', '\u0015', '\u0017'].map((key) => [
			key,
			key,
		]),
	),
};

/**
 * A complete sequence, without its escape: CSI (ECMA-48 5.4), SS3 with its letter, or ESC [ [ X of
 * the Linux console, where the second bracket does not end a CSI.
 */
const SEQUENCE = /^(?:\[\[[A-Z]|\[[\d:;<=>?]*[ -/]*[@-Z\\-~]|O[ -~])/;
const BEGUN = /^(?:\[\[?[\d:;<=>?]*[ -/]*|O)?$/;

/**
 * Splits input into keys. `rest` is the beginning of a sequence whose end has not arrived. A pasted
 * text is one key of several characters; its line ends become commas, so that none submits.
 */
export function splitKeys(input: string): {keys: readonly string[]; rest: string} {
	const keys: string[] = [];
	let text = input;
	while (text !== '') {
		if (text.startsWith(PASTE_BEGIN)) {
			const end = text.indexOf(PASTE_END);
			if (end === -1) {
				break;
			}

			const pasted = flatten(text.slice(PASTE_BEGIN.length, end));
			keys.push(...(pasted === '' ? [] : [pasted]));
			text = text.slice(end + PASTE_END.length);
			continue;
		}

		if (!text.startsWith(ESC)) {
			const [character = ''] = text;
			keys.push(...toKey(character));
			text = text.slice(character.length);
			continue;
		}

		const after = text.slice(1);
		const sequence = SEQUENCE.exec(after)?.[0];
		if (sequence !== undefined) {
			const key = SPELLINGS[ESC + sequence];
			keys.push(...(key === undefined ? [] : [key]));
			text = after.slice(sequence.length);
		} else if (BEGUN.test(after)) {
			break;
		} else {
			keys.push(ESCAPE_KEY);
			text = text.slice(1);
		}
	}

	return {keys, rest: text};
}

function toKey(character: string): readonly string[] {
	const control = CONTROLS[character];
	return control === undefined ? (isPrintable(character) ? [character] : []) : [control];
}

function flatten(text: string): string {
	return [
		...text
			.trim()
			.replace(/[\r\n]+/g, ', ')
			.replaceAll('\t', ' '),
	]
		.filter(isPrintable)
		.join('');
}

/** Whether a character is visible by itself: no control or format character, no lone surrogate. */
function isPrintable(character: string): boolean {
	return !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(character);
}
