import type {ActiveBinding} from '../keys/bindings.ts';
import {keyList} from '../keys/format-bindings.ts';
import type {Step} from '../state/state.ts';
import {screenReader} from '../theme.ts';
import {glossaryLines} from './glossary.ts';
import type {Line} from './wrap.ts';

/** From this width on, the keys stand beside the words. */
const SIDE_BY_SIDE = 100;
/** Columns between the two. */
const GAP = 3;

/** What `?` shows: the words of the step with what they mean, then its keys. */
export function helpLines(
	step: Step,
	bindings: readonly ActiveBinding[],
	{columns, height}: {readonly columns: number; readonly height: number},
): readonly Line[] {
	const words = (width: number) => glossaryLines(step, width);
	if (screenReader || columns < SIDE_BY_SIDE) {
		const above = words(columns);
		const apart = above.length === 0 ? [] : [...above, BLANK];
		const keys = keyList(bindings, {columns, height: height - apart.length});
		return [...apart, ...keys.map(toLine)];
	}

	const width = Math.floor((columns - GAP) * 0.6);
	const left = words(width).map(({text}) => text.padEnd(width + GAP));
	const right = keyList(bindings, {columns: columns - width - GAP, height});
	return Array.from({length: Math.max(left.length, right.length)}, (_, index) =>
		toLine(`${left[index] ?? ' '.repeat(width + GAP)}${right[index] ?? ''}`.trimEnd()),
	);
}

const BLANK: Line = {text: '', tone: 'plain'};

function toLine(text: string): Line {
	return {text, tone: 'plain'};
}
