import xterm, {type IBufferCell, type Terminal} from '@xterm/headless';

/** The colours that the theme uses, by their numbers among the first 8 and among 256. */
const COLOURS = {
	...({1: 'red', 2: 'green', 3: 'yellow', 6: 'cyan'} as const),
	...({196: 'red', 28: 'green', 136: 'yellow', 31: 'cyan'} as const),
};
export type Colour = (typeof COLOURS)[keyof typeof COLOURS];

type Style = {
	/** Undefined: the terminal's own. */
	readonly colour: Colour | undefined;
	readonly bold: boolean;
	readonly dim: boolean;
	readonly inverse: boolean;
};

/** Characters of one style beside each other, with at most one space between two of them. */
export type Run = Style & {readonly column: number; readonly text: string};

/** What a terminal shows, with its colours. */
export type Picture = {
	readonly columns: number;
	readonly rows: ReadonlyArray<readonly Run[]>;
	/** Where text that is typed would stand; undefined while a full-screen program draws its own. */
	readonly cursor: {readonly column: number; readonly row: number} | undefined;
};

/** Reads what stands on the screen. @throws {RangeError} for a colour that the theme does not have */
export function readPicture(screen: Terminal): Picture {
	const {active} = screen.buffer;
	const rows = Array.from({length: screen.rows}, (_, index) => {
		const line = active.getLine(active.baseY + index);
		return runsOf(Array.from({length: screen.cols}, (_, column) => line?.getCell(column)));
	});
	const cursor = {column: active.cursorX, row: active.cursorY};
	return {columns: screen.cols, rows, cursor: active.type === 'normal' ? cursor : undefined};
}

/** A frame's lines, each style by its name: `{cyan bold}Role{/}`. */
export async function markColours(
	frame: string,
	[cols, rows]: readonly [number, number],
): Promise<readonly string[]> {
	const screen = new xterm.Terminal({cols, rows, convertEol: true, allowProposedApi: true});
	await new Promise<void>((resolve) => {
		screen.write(frame, resolve);
	});
	const lines = readPicture(screen).rows.map((runs) => {
		let end = 0;
		return runs
			.map((run) => {
				const gap = ' '.repeat(run.column - end);
				end = run.column + run.text.length;
				const style = [
					...(run.colour === undefined ? [] : [run.colour]),
					...(['bold', 'dim', 'inverse'] as const).filter((name) => run[name]),
				];
				return style.length === 0
					? `${gap}${run.text}`
					: `${gap}{${style.join(' ')}}${run.text}{/}`;
			})
			.join('');
	});
	screen.dispose();
	return lines.slice(0, frame.split('\n').length);
}

function runsOf(cells: ReadonlyArray<IBufferCell | undefined>): readonly Run[] {
	const runs: Run[] = [];
	let run: Run | undefined;
	/** Spaces that belong to the run only if something follows. */
	let gap = '';
	for (const [column, cell] of cells.entries()) {
		const style = styleOf(cell);
		const text = cell?.getChars() || ' ';
		const follows: boolean = run !== undefined && gap.length < 2 && isSame(run, style);
		if (text === ' ' && !style.inverse) {
			gap += ' ';
		} else if (run !== undefined && follows) {
			run = {...run, text: run.text + gap + text};
			runs[runs.length - 1] = run;
			gap = '';
		} else {
			run = {...style, column, text};
			runs.push(run);
			gap = '';
		}
	}

	return runs;
}

function styleOf(cell: IBufferCell | undefined): Style {
	const number = cell?.isFgDefault() ? undefined : cell?.getFgColor();
	const colour = number === undefined ? undefined : Reflect.get(COLOURS, number);
	if (colour === undefined && number !== undefined) {
		throw new RangeError(`The theme has no colour ${number}`);
	}

	return {
		colour,
		bold: cell?.isBold() !== 0,
		dim: cell?.isDim() !== 0,
		inverse: cell?.isInverse() !== 0,
	};
}

function isSame(left: Style, right: Style): boolean {
	return (
		left.colour === right.colour &&
		left.bold === right.bold &&
		left.dim === right.dim &&
		left.inverse === right.inverse
	);
}
