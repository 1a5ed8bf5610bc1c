import {Box} from 'ink';
import type {ReactElement} from 'react';
import {Choices} from '../components/choices.tsx';
import {Paragraph} from '../components/paragraph.tsx';
import {ROLE_TEXTS} from '../text/texts.ts';
import type {StepProps} from './step-props.ts';

export function RoleStep({flow, dispatch}: StepProps): ReactElement {
	const role = flow.roles[flow.focus];
	const {value: recommendation} = flow.known.recommendation;
	return (
		<Box flexDirection="column">
			<Choices
				labels={flow.roles.map(
					(name, index) => `${ROLE_TEXTS[name].label}${index === 0 ? ' (recommended)' : ''}`,
				)}
				focus={flow.focus}
				onFocus={(index) => dispatch({type: 'focus', index})}
				onChoose={(index) => dispatch({type: 'choose', index})}
			/>
			<Paragraph
				lines={[
					role === undefined ? '' : ROLE_TEXTS[role].meaning,
					...(recommendation === undefined
						? []
						: [
								`${ROLE_TEXTS[recommendation.role].label} is recommended: ${recommendation.reason}.`,
							]),
				]}
			/>
		</Box>
	);
}
