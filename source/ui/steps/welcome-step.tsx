import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import {Paragraph} from '../components/paragraph.tsx';
import {styleOf} from '../theme.ts';
import type {StepProps} from './step-props.ts';

export function WelcomeStep({machine}: StepProps): ReactElement {
	return (
		<Box flexDirection="column">
			{machine.findings.map(({text, tone}) => (
				<Box key={text} flexShrink={0}>
					<Text {...styleOf(tone)}>{text}</Text>
				</Box>
			))}
			<Paragraph
				lines={[
					'Nothing is changed before you say so in the step Apply. Even then the old rules come back by themselves, unless you show that you can still log in.',
				]}
			/>
		</Box>
	);
}
