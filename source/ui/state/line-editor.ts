/** A text of one line. The cursor is an index into it, in UTF-16 code units, between two characters as people see them. */
export type EditedLine = {readonly text: string; readonly cursor: number};

/** What a key does to a line, as readline(3) names it. */
export type LineEdit =
	| {readonly insert: string}
	| 'backward-char'
	| 'forward-char'
	| 'beginning-of-line'
	| 'end-of-line'
	| 'backward-delete-char'
	| 'delete-char'
	/** Up to the space before the word. */
	| 'unix-word-rubout'
	| 'unix-line-discard'
	| 'kill-line';

/** The line after an edit. Characters of several code points (UAX 29) are moved over and deleted as one. */
export function editLine({text, cursor}: EditedLine, edit: LineEdit): EditedLine {
	const [before, after] = [text.slice(0, cursor), text.slice(cursor)];
	if (typeof edit === 'object') {
		const next = before + edit.insert + after;
		// A mark that combines with the character after the cursor becomes one with it.
		return {text: next, cursor: boundaryAt(next, cursor + edit.insert.length)};
	}

	switch (edit) {
		case 'backward-char':
			return {text, cursor: boundaryBefore(text, cursor)};
		case 'forward-char':
			return {text, cursor: boundaryAt(text, cursor + 1)};
		case 'beginning-of-line':
			return {text, cursor: 0};
		case 'end-of-line':
			return {text, cursor: text.length};
		case 'backward-delete-char':
			return without(text, boundaryBefore(text, cursor), cursor);
		case 'delete-char':
			return without(text, cursor, boundaryAt(text, cursor + 1));
		case 'unix-word-rubout':
			return without(text, before.replace(/\S*\s*$/, '').length, cursor);
		case 'unix-line-discard':
			return {text: after, cursor: 0};
		case 'kill-line':
			return {text: before, cursor};
	}
}

function without(text: string, from: number, to: number): EditedLine {
	return {text: text.slice(0, from) + text.slice(to), cursor: from};
}

/** The first boundary of a character at an index or after it. */
function boundaryAt(text: string, index: number): number {
	return boundaries(text).find((boundary) => boundary >= index) ?? text.length;
}

/** The last boundary of a character before an index. */
function boundaryBefore(text: string, index: number): number {
	return boundaries(text).findLast((boundary) => boundary < index) ?? 0;
}

let segmenter: Intl.Segmenter | undefined;

function boundaries(text: string): readonly number[] {
	// Its data is loaded when it is first needed, which is after the first frame.
	segmenter ??= new Intl.Segmenter('en', {granularity: 'grapheme'});
	return [...Array.from(segmenter.segment(text), ({index}) => index), text.length];
}
