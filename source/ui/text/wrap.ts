import wrapAnsi from 'wrap-ansi';
import type {Tone} from '../theme.ts';

/** A line of text, and how it looks. */
export type Line = {readonly text: string; readonly tone: Tone};

/** Text cut into lines of at most `width`, the first behind the prefix, the others as far in. */
export function wrapLines(text: string, width: number, tone: Tone, prefix = ''): readonly Line[] {
	const room = Math.max(10, width - prefix.length);
	return text
		.split('\n')
		.flatMap((line) => {
			const [first = '', ...others] = wrapAnsi(line, room, {hard: true, trim: false}).split('\n');
			// The space at which a line was broken is no part of the next; that before the first is meant.
			return [first, ...others.map((other) => other.replace(/^ /, ''))];
		})
		.map((line, index) => ({
			text: `${index === 0 ? prefix : ' '.repeat(prefix.length)}${line}`,
			tone,
		}));
}
