import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import wrapAnsi from 'wrap-ansi';
import {Paragraph, WidthContext} from '../components/paragraph.tsx';
import {REASSURANCE} from '../text/texts.ts';
import {styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

export function WelcomeStep({machine}: StepProps): ReactElement {
	const width = useContext(WidthContext);
	return (
		<Box flexDirection="column">
			{machine.findings.map(({text, tone}) => (
				<Box key={text} flexShrink={0}>
					<Text {...styleOf(tone)}>{wrapAnsi(text, width, {hard: true})}</Text>
				</Box>
			))}
			<Paragraph lines={[REASSURANCE]} />
		</Box>
	);
}
