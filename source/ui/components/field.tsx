import {Box, Text} from 'ink';
import TextInput from 'ink-text-input';
import {type ReactElement, useContext} from 'react';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	readonly value: string;
	readonly focused: boolean;
	/** A note behind the text that says what is wrong with it. */
	readonly note?: string;
	readonly onChange: (text: string) => void;
	readonly onSubmit: () => void;
};

/**
 * A field of one line. The caret is always at the end: where it can move, ink-text-input may insert
 * a digit at an invisible place, and a wrong port would be opened. Of a long text the end is shown,
 * since the caret is there.
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
					// React mounts the field again when its text may have been changed elsewhere, so that its
					// caret moves to the new end.
					key={`${focused} ${value === ''}`}
					value={value}
					focus={focused}
					showCursor={false}
					// A question mark shows the keys of the step. No field needs the character itself.
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
