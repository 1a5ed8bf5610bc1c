import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type EditedLine, editLine, type LineEdit} from '../../source/ui/state/line-editor.ts';

/** A line with its cursor written as `|`. */
function lineOf(marked: string): EditedLine {
	return {text: marked.replace('|', ''), cursor: marked.indexOf('|')};
}

function mark({text, cursor}: EditedLine): string {
	return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

const FAMILY = '👨‍👩‍👧';

test.each<[string, LineEdit, string]>([
	['22/tcp|', {insert: ' limit'}, '22/tcp limit|'],
	['2|/tcp', {insert: '2'}, '22|/tcp'],
	['22/tcp|', 'backward-char', '22/tc|p'],
	['|22', 'backward-char', '|22'],
	['2|2', 'forward-char', '22|'],
	['22|', 'forward-char', '22|'],
	['22/t|cp', 'beginning-of-line', '|22/tcp'],
	['22/t|cp', 'end-of-line', '22/tcp|'],
	['22|/tcp', 'backward-delete-char', '2|/tcp'],
	['|22', 'backward-delete-char', '|22'],
	['22|/tcp', 'delete-char', '22|tcp'],
	['22|', 'delete-char', '22|'],
	['ssh from 10.0.0.0/8|', 'unix-word-rubout', 'ssh from |'],
	['ssh from  |10.0.0.0/8', 'unix-word-rubout', 'ssh |10.0.0.0/8'],
	['ssh|', 'unix-word-rubout', '|'],
	['ssh, 53|, 80', 'unix-line-discard', '|, 80'],
	['ssh, 53|, 80', 'kill-line', 'ssh, 53|'],
	// One character as people see it may be several code points.
	[`a${FAMILY}|b`, 'backward-char', `a|${FAMILY}b`],
	[`a|${FAMILY}b`, 'forward-char', `a${FAMILY}|b`],
	[`a${FAMILY}|b`, 'backward-delete-char', 'a|b'],
	[`a|${FAMILY}b`, 'delete-char', 'a|b'],
	['世界|', 'backward-delete-char', '世|'],
	['e\u0301|', 'backward-char', '|e\u0301'],
	['e|', {insert: '\u0301'}, 'e\u0301|'],
])('%s, %j: %s', (before, edit, after) => {
	expect(mark(editLine(lineOf(before), edit))).toBe(after);
});

describe('any edits', () => {
	const EDITS = [
		'backward-char',
		'forward-char',
		'beginning-of-line',
		'end-of-line',
		'backward-delete-char',
		'delete-char',
		'unix-word-rubout',
		'unix-line-discard',
		'kill-line',
	] as const;
	const anyEdit = fc.oneof(
		fc.constantFrom<LineEdit>(...EDITS),
		fc
			.string({unit: fc.constantFrom('a', ' ', '2', '世', '\u0301', '👨', '\u200D', '🇫', '🇷')})
			.map((insert): LineEdit => ({insert})),
	);

	test('leave the cursor between two characters, and lose nothing but what they name', () => {
		const segmenter = new Intl.Segmenter('en', {granularity: 'grapheme'});
		fc.assert(
			fc.property(fc.array(anyEdit, {maxLength: 30}), (edits) => {
				let line: EditedLine = {text: '', cursor: 0};
				for (const edit of edits) {
					const next = editLine(line, edit);
					if (typeof edit === 'object') {
						expect(next.text.length).toBe(line.text.length + edit.insert.length);
					} else if (!/delete|rubout|discard|kill/.test(edit)) {
						expect(next.text).toBe(line.text);
					}

					line = next;
					const before = [...segmenter.segment(line.text)].map(({index}) => index);
					expect([...before, line.text.length]).toContain(line.cursor);
				}
			}),
		);
	});
});
