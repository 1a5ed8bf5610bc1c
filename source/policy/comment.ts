import {InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';

/** The most bytes of a comment that a rule keeps (struct xt_comment_info: 256 with the zero at its end). */
const COMMENT_BYTES = 255;

/** A quoted text at the end of an opening: `comment "Web \"A\""`. */
const QUOTED = /(?:^|\s)comment\s+"((?:[^"\\]|\\.)*)"\s*$/isu;

/**
 * A comment that a rule can keep, with single spaces at the places of others.
 * @throws {InputError} where it is empty or too long, or has characters that cannot be shown
 */
export function checkComment(text: string): string {
	const comment = text.trim();
	const bytes = Buffer.byteLength(comment);
	if (comment === '' || bytes > COMMENT_BYTES) {
		throw new InputError(
			comment === '' ? 'The comment is empty' : `The comment has ${bytes} bytes`,
			`Write 1 to ${COMMENT_BYTES} bytes, as in: comment "Web server"`,
		);
	}

	if (printable(comment, COMMENT_BYTES + 1) !== comment) {
		throw new InputError(
			'The comment has characters that cannot be shown, as a line break',
			'Write it in one line of plain text',
		);
	}

	return comment;
}

/** The words of an opening for its comment: `comment "Web \"A\""`. */
export function printComment(comment: string): string {
	return `comment "${comment.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Takes a comment from the end of an opening.
 * @returns the text before it, and the comment where there is one
 * @throws {InputError}
 */
export function takeComment(text: string): {readonly rest: string; readonly comment?: string} {
	const match = QUOTED.exec(text);
	if (match === null) {
		return {rest: text};
	}

	const [, quoted = ''] = match;
	if (/\\[^"\\]/u.test(quoted.replaceAll('\\\\', ''))) {
		throw new InputError(
			'In a comment, a backslash stands before " or another backslash only',
			'Write comment "C:\\\\Web", or comment "the \\"Web\\""',
		);
	}

	return {
		rest: text.slice(0, match.index),
		comment: checkComment(quoted.replace(/\\(["\\])/g, '$1')),
	};
}

/** Splits a text at its commas that are outside of quotation marks. */
export function splitAtCommas(text: string): readonly string[] {
	return text.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+/gsu) ?? [];
}
