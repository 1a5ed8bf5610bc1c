import {glyphs, screenReader} from '../theme.ts';

/**
 * Cuts a text to so many columns and says so, with a sign that this terminal can draw: the one of
 * Ink's own truncation is not ASCII. What is read out is never cut.
 */
export function cut(
	text: string,
	columns: number,
	where: 'start' | 'middle' | 'end' = 'end',
): string {
	const characters = [...text];
	if (screenReader || columnsOf(characters) <= columns) {
		return text;
	}

	const room = Math.max(0, columns - glyphs.more.length);
	const before = {start: 0, middle: Math.ceil(room / 2), end: room}[where];
	const head = fitting(characters, before);
	const tail = fitting(characters.reverse(), room - before).reverse();
	return `${head.join('')}${glyphs.more.slice(0, columns)}${tail.join('')}`;
}

function fitting(characters: readonly string[], columns: number): string[] {
	let used = 0;
	return characters.filter((character) => {
		used += columnsOf([character]);
		return used <= columns;
	});
}

/** Never too few: what is not surely narrow counts as wide. */
function columnsOf(characters: readonly string[]): number {
	return characters.reduce((sum, character) => sum + (isNarrow(character) ? 1 : 2), 0);
}

function isNarrow(character: string): boolean {
	return character < '\u1100' || Object.values(glyphs).includes(character);
}
