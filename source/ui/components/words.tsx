import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import type {Line} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';
import {TextLine} from './text-line.tsx';

/** The words of the step under the rules panel, where a terminal has room for them. `?` shows them anywhere. */
export function Words({lines}: {readonly lines: readonly Line[]}): ReactElement {
	return (
		<Box flexDirection="column" flexShrink={0} marginTop={1}>
			<Box flexShrink={0}>
				<Text {...styleOf('accent')}>Words</Text>
			</Box>
			{lines.map(({text}) => (
				<Box key={text} flexShrink={0}>
					<TextLine text={text} tone="muted" />
				</Box>
			))}
		</Box>
	);
}
