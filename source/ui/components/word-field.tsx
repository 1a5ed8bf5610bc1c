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

/** Asks the user to type a word, before an action that a key pressed by mistake must not start. */
export function WordField({flow, dispatch, word, label, onWord}: Props): ReactElement {
	const typed = flow.field.trim().toLowerCase();
	return (
		<Box flexDirection="column" flexShrink={0}>
			<Text>{label}</Text>
			<Field
				value={flow.field}
				focused
				// Enter does nothing while the word is wrong, and the seconds are counting down: so the
				// note says it.
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
