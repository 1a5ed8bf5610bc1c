import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import {type Cell, type MatrixRow, PORT_COLUMNS, type ProofMatrix} from '../../proof/matrix.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, styleOf, type Tone} from '../theme.ts';

type Props = {readonly matrix: ProofMatrix; readonly width: number; readonly height: number};

/** The lines of a matrix beside its rows: names, families, and what the signs mean. */
const OTHER_LINES = 3;

/** The lines of a whole matrix. */
export function matrixLines({rows}: ProofMatrix): number {
	return rows.length + OTHER_LINES;
}

/** What a proof found, from where and for which ports. @param height lines, of which rows that do not fit are counted */
export function Matrix({matrix, width, height}: Props): ReactElement {
	const {columns, rows, hidden} = matrix;
	const labels = rows.map(({port, who}) => Math.max(PORT_COLUMNS, port.length + 1) + who.length);
	const left = Math.min(
		width - columns.reduce((sum, column) => sum + column.width, 0),
		Math.max(...labels) + 1,
	);
	const room = Math.max(1, height - OTHER_LINES);
	const shown = rows.length > room ? rows.slice(0, room - 1) : rows;
	const more = rows.length - shown.length;
	const legend = [
		`${glyphs.reachable} reachable  ${glyphs.emptyCell} blocked`,
		...(hidden > 0 ? [`and from ${hidden} more sources`] : []),
	];
	return (
		<Box flexDirection="column" flexShrink={0}>
			<Text {...styleOf('muted')}>
				{' '.repeat(left)}
				{columns.map(({name, width: room}) => `  ${name}`.padEnd(room)).join('')}
			</Text>
			<Text {...styleOf('muted')}>
				{' '.repeat(left)}
				{columns
					.map(({families, width: room}) =>
						`  ${families.map((family) => `v${family}`).join(' ')}`.padEnd(room),
					)
					.join('')}
			</Text>
			{shown.map((row) => (
				<Text key={row.port}>
					{labelOf(row, left)}
					{row.cells.map((cells, index) => (
						<Cells key={columns[index]?.key} cells={cells} width={columns[index]?.width ?? 0} />
					))}
				</Text>
			))}
			{more > 0 && (
				<Text {...styleOf('muted')}>
					{glyphs.more} {more} more
				</Text>
			)}
			<Text {...styleOf('muted')}>{truncate(legend.join('  '), width)}</Text>
		</Box>
	);
}

/** The port and who serves it, in a cell of this width; a long port takes the room of who. */
function labelOf({port, who}: MatrixRow, width: number): string {
	const start = port.length < PORT_COLUMNS ? port.padEnd(PORT_COLUMNS) : `${port} `;
	return truncate(`${start}${who}`, width - 1).padEnd(width);
}

function Cells({cells, width}: {readonly cells: readonly Cell[]; readonly width: number}) {
	return (
		<Text>
			{'  '}
			{cells.map((cell, index) => (
				// A cell has no identity but its position.
				// biome-ignore lint/suspicious/noArrayIndexKey: see above
				<Text key={index} {...styleOf(toneOf(cell))}>
					{signOf(cell).padEnd(index < cells.length - 1 ? 3 : 2)}
				</Text>
			))}
			{' '.repeat(Math.max(0, width - (3 * cells.length + 1)))}
		</Text>
	);
}

/** Also without colour a difference from the policy is seen. */
function signOf({open, wrong}: Cell): string {
	return `${open ? glyphs.reachable : glyphs.emptyCell}${wrong ? '!' : ''}`;
}

function toneOf({open, wrong}: Cell): Tone {
	return wrong ? 'danger' : open ? 'good' : 'muted';
}
