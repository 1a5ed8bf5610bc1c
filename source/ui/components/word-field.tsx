import {Box, Text, useInput} from 'ink';
import type {ReactElement} from 'react';
import type {Flow} from '../state/state.ts';
import {Field} from './field.tsx';

type Props = {
	readonly flow: Flow;
	readonly word: string;
	readonly label: string;
	readonly onWord: () => void;
};

/** Asks the user to type a word, before an action that a key pressed by mistake must not start. */
export function WordField({flow, word, label, onWord}: Props): ReactElement {
	const typed = flow.field.trim().toLowerCase();
	useInput((_, key) => {
		if (key.return && typed === word) {
			onWord();
		}
	});
	return (
		<Box flexDirection="column" flexShrink={0}>
			<Text>{label}</Text>
			<Field
				line={{text: flow.field, cursor: flow.cursor}}
				focused
				// Enter does nothing while the word is wrong, and the seconds are counting down: so the
				// note says it.
				note={word.startsWith(typed) ? '' : ` This is not ${word}`}
			/>
		</Box>
	);
}
