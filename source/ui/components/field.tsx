import {Box, Text} from 'ink';
import TextInput from 'ink-text-input';
import {type ReactElement, useContext} from 'react';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	readonly value: string;
	readonly focused: boolean;
	/** What is wrong with the text, behind it. */
	readonly note?: string;
	readonly onChange: (text: string) => void;
	readonly onSubmit: () => void;
};

/**
 * A line to type in. The caret stands always at the end: with one that moves, ink-text-input can
 * put a digit where nobody sees it go, and a wrong port would be opened. Always one line: of a long
 * text the end is shown, where the caret is.
 */
export function Field({value, focused, note = '', onChange, onSubmit}: Props): ReactElement {
	const width = useContext(WidthContext);
	const room = width - glyphs.pointer.length - glyphs.caret.length - 1 - note.length;
	return (
		<Box flexShrink={0} aria-role="textbox" aria-state={{selected: focused}}>
			<Text {...styleOf(focused ? 'accent' : 'muted')}>
				{screenReader ? '' : `${glyphs.pointer} `}
			</Text>
			<Box display="none">
				<TextInput
					// Remounted when its text can have been changed from outside, so that its caret follows.
					key={`${focused} ${value === ''}`}
					value={value}
					focus={focused}
					showCursor={false}
					// Typed, it asks for the keys of the step; no field needs it.
					onChange={(text) => text !== `${value}?` && onChange(text)}
					onSubmit={onSubmit}
				/>
			</Box>
			<Text>{truncate(value, room, 'start')}</Text>
			{focused && <Text {...styleOf('accent')}>{glyphs.caret}</Text>}
			<Text {...styleOf('warning')}>{note}</Text>
		</Box>
	);
}
