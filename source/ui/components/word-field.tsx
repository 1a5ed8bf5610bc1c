import {Box, Text} from 'ink';
import type {Dispatch, ReactElement} from 'react';
import type {Flow, FlowEvent} from '../state/state.ts';
import {Field} from './field.tsx';

type Props = {
	readonly flow: Flow;
	readonly dispatch: Dispatch<FlowEvent>;
	readonly word: string;
	readonly label: string;
	readonly onWord: () => void;
};

/** Asks for a word to be typed out: for what must not happen by a key pressed once too often. */
export function WordField({flow, dispatch, word, label, onWord}: Props): ReactElement {
	const typed = flow.field.trim().toLowerCase();
	return (
		<Box flexDirection="column" flexShrink={0}>
			<Text>{label}</Text>
			<Field
				value={flow.field}
				focused
				// Enter does nothing then, and the seconds run.
				note={word.startsWith(typed) ? '' : ` This is not ${word}`}
				onChange={(text) => dispatch({type: 'type', text: text.slice(0, 20)})}
				onSubmit={() => {
					if (typed === word) {
						onWord();
					}
				}}
			/>
		</Box>
	);
}
