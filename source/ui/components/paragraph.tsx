import {Box, Text} from 'ink';
import {createContext, type ReactElement, useContext} from 'react';
import wrapAnsi from 'wrap-ansi';
import {styleOf, type Tone} from '../theme.ts';

/** The number of columns that the step may use. */
export const WidthContext = createContext(80);

type Props = {
	readonly lines: readonly string[];
	readonly tone?: Tone;
	/** Leaves out the empty line before it. */
	readonly close?: boolean;
};

/** Plain text under a list or a field. Long lines are wrapped between words. */
export function Paragraph({lines, tone = 'plain', close = false}: Props): ReactElement {
	const width = useContext(WidthContext);
	return (
		<Box flexDirection="column" flexShrink={0} marginTop={close ? 0 : 1}>
			{lines.map((line, index) => (
				// Two lines may have the same text, as the answers about one packet in each family.
				// biome-ignore lint/suspicious/noArrayIndexKey: see above
				<Text key={index} {...styleOf(tone)}>
					{wrapAnsi(line, width, {hard: true})}
				</Text>
			))}
		</Box>
	);
}
