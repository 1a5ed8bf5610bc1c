import type {Colour, Picture, Run} from '../_helpers/ui/cells.ts';

/** Pixels. A character of the fonts below is 0.602 as wide as it is high. */
const FONT_SIZE = 14;
const CELL_WIDTH = 8.43;
const LINE_HEIGHT = 19;
const BASELINE = 14;
const TITLE_HEIGHT = 34;
const MARGIN = 16;

/** What viewers have; the first that is there is taken. */
const FONTS = 'ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace';

const INK = {
	ground: '#15181e',
	bar: '#20242c',
	edge: '#363c47',
	text: '#d5dae3',
	red: '#f27a85',
	green: '#84cf87',
	yellow: '#e6c274',
	cyan: '#67cfe0',
} as const;

/** Draws a terminal's window. */
export function drawSvg(picture: Picture, title: string): string {
	const {columns, rows} = picture;
	const width = Math.ceil(columns * CELL_WIDTH) + 2 * MARGIN;
	const height = TITLE_HEIGHT + rows.length * LINE_HEIGHT + 2 * MARGIN - 8;
	const colours = (['red', 'green', 'yellow', 'cyan'] as const).map(
		(colour) => `.${colour}{fill:${INK[colour]}}`,
	);
	const dots = ([INK.red, INK.yellow, INK.green] as const).map(
		(colour, index) => `<circle cx="${20 + 18 * index}" cy="17" r="5.5" fill="${colour}"/>`,
	);
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${INK.text}">
<title>${encode(title)}</title>
<style>text{font-variant-ligatures:none;white-space:pre}.bold{font-weight:bold}.dim{fill-opacity:.6}${colours.join('')}.ground{fill:${INK.ground}}</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="9" fill="${INK.ground}" stroke="${INK.edge}"/>
<path d="M1 ${TITLE_HEIGHT}V9a8 8 0 0 1 8-8H${width - 9}a8 8 0 0 1 8 8V${TITLE_HEIGHT}z" fill="${INK.bar}"/>
${dots.join('')}
<text class="title dim" x="${width / 2}" y="22" font-size="13" text-anchor="middle">${encode(title)}</text>
<g transform="translate(${MARGIN} ${TITLE_HEIGHT + MARGIN - 6})" xml:space="preserve">
${[...grounds(picture), ...rows.flatMap(drawRow)].join('\n')}
</g>
</svg>
`;
}

/** What stands in the window, as text. */
export function readSvg(svg: string): string {
	const lines: string[] = [];
	for (const [, y = '', row = ''] of svg.matchAll(/<text y="(\d+)">(.*)<\/text>/g)) {
		let line = '';
		for (const [, x = '', text = ''] of row.matchAll(/<tspan x="([\d.]+)"[^>]*>([^<]*)/g)) {
			line = line.padEnd(Math.round(Number(x) / CELL_WIDTH)) + decode(text);
		}

		lines[(Number(y) - BASELINE) / LINE_HEIGHT] = line;
	}

	return Array.from(lines, (line) => line ?? '').join('\n');
}

function drawRow(runs: readonly Run[], row: number): readonly string[] {
	if (runs.length === 0) {
		return [];
	}

	const spans = runs.map((run) => {
		const names = [
			...(run.inverse ? ['ground'] : run.colour === undefined ? [] : [run.colour]),
			...(run.bold ? ['bold'] : []),
			...(run.dim ? ['dim'] : []),
		];
		const style = names.length === 0 ? '' : ` class="${names.join(' ')}"`;
		// Whatever font the viewer has, columns stay columns.
		return `<tspan x="${across(run.column)}" textLength="${across(run.text.length)}" lengthAdjust="spacingAndGlyphs"${style}>${encode(run.text)}</tspan>`;
	});
	return [`<text y="${row * LINE_HEIGHT + BASELINE}">${spans.join('')}</text>`];
}

/** What lies behind the text: the cursor, and what is shown in inverse. */
function grounds({rows, cursor}: Picture): readonly string[] {
	const boxes = rows.flatMap((runs, row) =>
		runs
			.filter(({inverse}) => inverse)
			.map(({column, text, colour}) => box(column, row, text.length, colour)),
	);
	return cursor === undefined ? boxes : [...boxes, box(cursor.column, cursor.row, 1, undefined)];
}

function box(column: number, row: number, length: number, colour: Colour | undefined): string {
	return `<rect x="${across(column)}" y="${row * LINE_HEIGHT}" width="${across(length)}" height="${LINE_HEIGHT}" fill="${colour ? INK[colour] : INK.text}"/>`;
}

function across(columns: number): number {
	return Number((columns * CELL_WIDTH).toFixed(2));
}

const ENTITIES = [
	['&', '&amp;'],
	['<', '&lt;'],
	['>', '&gt;'],
] as const;

function encode(text: string): string {
	return ENTITIES.reduce((all, [sign, entity]) => all.replaceAll(sign, entity), text);
}

function decode(text: string): string {
	return ENTITIES.reduceRight((all, [sign, entity]) => all.replaceAll(entity, sign), text);
}
