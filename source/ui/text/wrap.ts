import wrapAnsi from 'wrap-ansi';
import type {Tone} from '../theme.ts';

/** A line of text and its tone. */
export type Line = {readonly text: string; readonly tone: Tone};

/** A sentence as a part of another one. */
export function lowerFirst(text: string): string {
	return text.charAt(0).toLowerCase() + text.slice(1);
}

/**
 * Wraps a text to lines of at most `width` columns. The first line begins with the prefix, the
 * others are indented by its width.
 */
export function wrapLines(text: string, width: number, tone: Tone, prefix = ''): readonly Line[] {
	const room = Math.max(10, width - prefix.length);
	return text
		.split('\n')
		.flatMap((line) => {
			const [first = '', ...others] = wrapAnsi(line, room, {hard: true, trim: false}).split('\n');
			// The space at which a line was broken is dropped. A space at the beginning of the text
			// stays.
			return [first, ...others.map((other) => other.replace(/^ /, ''))];
		})
		.map((line, index) => ({
			text: `${index === 0 ? prefix : ' '.repeat(prefix.length)}${line}`,
			tone,
		}));
}
