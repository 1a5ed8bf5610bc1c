import cliTruncate from 'cli-truncate';
import {glyphs, screenReader} from '../theme.ts';

/** Each of these characters takes one column. */
const PRINTABLE_ASCII = /^[ -~]*$/;

/**
 * Truncates a text to a number of columns and marks where it was cut. The mark is one that this
 * terminal can draw: "…", or "..." where only ASCII is safe. A screen reader gets the whole text.
 * @param columns how wide the result is at most, as the terminal counts: a CJK character takes two
 * @param position which part of the text is left out
 */
export function truncate(
	text: string,
	columns: number,
	position: 'start' | 'middle' | 'end' = 'end',
): string {
	// To measure each character takes most of the time that a frame takes. ASCII needs no measuring.
	const isPlain = PRINTABLE_ASCII.test(text);
	if (screenReader || (isPlain && text.length <= columns)) {
		return text;
	}

	// cli-truncate writes its mark whole even where that is wider than the room.
	const mark = glyphs.more.slice(0, Math.max(0, columns));
	return isPlain && columns > mark.length
		? cut(text, columns - mark.length, mark, position)
		: cliTruncate(text, columns, {position, truncationCharacter: mark});
}

/** As cli-truncate does: of an odd room, the larger part is after the mark. */
function cut(text: string, room: number, mark: string, position: 'start' | 'middle' | 'end') {
	const half = Math.min(room, Math.floor((room + mark.length) / 2));
	const before = {start: 0, middle: half, end: room}[position];
	const after = room - before;
	return `${text.slice(0, before)}${mark}${text.slice(text.length - after)}`;
}
