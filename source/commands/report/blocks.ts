/** How a text is meant, beside what it says. */
type Tone = 'good' | 'bad' | 'warn' | 'open' | 'muted' | 'code';

/** Not escaped: whoever prints it does that. */
export type Cell = {readonly text: string; readonly tone?: Tone};

export type Block =
	| ({readonly kind: 'text'} & Cell)
	| {readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly Row[]};

export type Row = readonly Cell[];

/** A report as a page has it. */
export type Document = {
	readonly title: string;
	readonly verdict: Cell;
	readonly sections: ReadonlyArray<{readonly title: string; readonly blocks: readonly Block[]}>;
};

export function cell(text: string, tone?: Tone): Cell {
	return tone === undefined ? {text} : {text, tone};
}

export function text(words: string, tone?: Tone): Block {
	return {kind: 'text', ...cell(words, tone)};
}

/** A table of names and values. */
export function pairs(rows: ReadonlyArray<readonly [name: string, value: string | Cell]>): Block {
	return {
		kind: 'table',
		head: [],
		rows: rows.map(([name, value]) => [
			cell(name),
			typeof value === 'string' ? cell(value) : value,
		]),
	};
}
