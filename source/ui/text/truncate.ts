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
	if (text.length <= columns && PRINTABLE_ASCII.test(text)) {
		return text;
	}

	// cli-truncate writes its mark whole even where that is wider than the room.
	const truncationCharacter = glyphs.more.slice(0, Math.max(0, columns));
	return screenReader ? text : cliTruncate(text, columns, {position, truncationCharacter});
}
