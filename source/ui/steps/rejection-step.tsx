import {Box, Text} from 'ink';
import type {ReactElement} from 'react';
import {VERDICTS} from '../../policy/policy.ts';
import {VERDICT_EFFECTS} from '../../ruleset/explain.ts';
import {Choices} from '../components/choices.tsx';
import {Paragraph} from '../components/paragraph.tsx';
import {VERDICT_TEXTS} from '../text/texts.ts';
import {boxText} from '../theme.ts';
import type {StepProps} from './step-props.ts';

/** The lines of the whole step on a terminal of 60 columns. */
const LINES = 10;

export function RejectionStep({flow, dispatch, height}: StepProps): ReactElement {
	const {client, scan, you} = VERDICT_EFFECTS[VERDICTS[flow.focus] ?? 'reject'];
	return (
		<Box flexDirection="column">
			<Choices
				labels={VERDICTS.map(
					(name, index) => `${VERDICT_TEXTS[name]}${index === 0 ? ' (recommended)' : ''}`,
				)}
				focus={flow.focus}
				onFocus={(index) => dispatch({type: 'focus', index})}
				onChoose={(index) => dispatch({type: 'choose', index})}
			/>
			<Box marginTop={1} flexShrink={0}>
				<Text>{boxText(flow.policy.log)} Log blocked packets (key l)</Text>
			</Box>
			<Paragraph
				close={height < LINES}
				lines={[`A client: ${client}`, `A port scan: ${scan}`, `You: ${you}`]}
			/>
		</Box>
	);
}
