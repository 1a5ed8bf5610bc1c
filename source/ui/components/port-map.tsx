import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import {LAST_PORT, type PortRange} from '../../lib/port-ranges.ts';
import type {Ports} from '../../proof/count-nft.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';

type Props = {
	readonly title: string;
	/** Rows with names of at most eight letters, as `TCP IPv4`. */
	readonly rows: ReadonlyArray<{readonly name: string; readonly ports: readonly PortRange[]}>;
	readonly width: number;
};

/** The map counts port 0 as well, so that all of its cells stand for the same number of ports. */
const PLACES = LAST_PORT + 1;
const NAME = 10;

/**
 * A map of all ports, one line for each protocol and family. A cell stands for several hundred
 * ports.
 */
export function PortMap({title, rows, width}: Props): ReactElement {
	if (screenReader) {
		return <Text />;
	}

	const cells = Math.max(8, width - NAME);
	return (
		<Box flexDirection="column" flexShrink={0}>
			<Box flexShrink={0}>
				<Text {...styleOf('muted')}>
					{title.padEnd(NAME)}
					{scale(cells)}
				</Text>
			</Box>
			{rows.map(({name, ports}) => (
				<Box key={name} flexShrink={0}>
					<Text>{name.padEnd(NAME)}</Text>
					<Text>
						{runs(stripOf(ports, cells)).map(({open, start, length}) => (
							<Text key={start} {...styleOf(open ? 'accept' : 'muted')}>
								{(open ? glyphs.cell : glyphs.emptyCell).repeat(length)}
							</Text>
						))}
					</Text>
				</Box>
			))}
		</Box>
	);
}

/** Which cells contain a port that passes. */
function stripOf(ports: readonly PortRange[], cells: number): readonly boolean[] {
	const strip = Array.from({length: cells}, () => false);
	const cellOf = (port: number) => Math.floor((port * cells) / PLACES);
	for (const {first, last} of ports) {
		strip.fill(true, cellOf(first), cellOf(last) + 1);
	}

	return strip;
}

/** The rows of a map for one family: TCP and UDP. */
export function mapRows(family: number, {tcp, udp}: Ports): Props['rows'] {
	return [
		{name: `TCP IPv${family}`, ports: tcp},
		{name: `UDP IPv${family}`, ports: udp},
	];
}

function scale(cells: number): string {
	const last = `${LAST_PORT}`;
	return cells > 20 ? `1${' '.repeat(cells - last.length - 1)}${last}` : '1';
}

function runs(
	strip: readonly boolean[],
): ReadonlyArray<{readonly open: boolean; readonly start: number; readonly length: number}> {
	const starts = strip.flatMap((open, index) =>
		index === 0 || strip[index - 1] !== open ? [index] : [],
	);
	return starts.map((start, index) => ({
		open: strip[start] ?? false,
		start,
		length: (starts[index + 1] ?? strip.length) - start,
	}));
}
