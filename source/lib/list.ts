import {formatNumber} from './format-number.ts';

/** Joins words to a list for a sentence: `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
	return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The texts, or where more than one would be left out, the first `most` and how many more: `a`, `b`, `3 more`. */
export function withRest(texts: readonly string[], most: number): readonly string[] {
	const more = texts.length - most;
	return more > 1 ? [...texts.slice(0, most), `${more} more`] : texts;
}

/** At most `most` texts, and how many more: `a, b and 3 more`. */
export function joinSome(texts: readonly string[], most: number): string {
	const more = texts.length - most;
	return `${texts.slice(0, most).join(', ')}${more > 0 ? ` and ${formatNumber(more)} more` : ''}`;
}
