import {Box, Text} from 'ink';
import {type ReactElement, useContext} from 'react';
import stringWidth from 'string-width';
import type {EditedLine} from '../state/line-editor.ts';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	readonly line: EditedLine;
	readonly focused: boolean;
	/** A note behind the text that says what is wrong with it. */
	readonly note?: string;
};

/**
 * A field of one line: its text, and the cursor between two characters, which is seen without colours as well. Of a long text
 * the part around the cursor is shown. The keys are handled by `bindings`.
 */
export function Field({line, focused, note = ''}: Props): ReactElement {
	const width = useContext(WidthContext);
	const caret = line.cursor < line.text.length ? glyphs.caretInside : glyphs.caret;
	const room = width - glyphs.pointer.length - caret.length - 1 - stringWidth(note);
	const {before, after} = around(line, room);
	return (
		<Box flexShrink={0} aria-role="textbox" aria-state={{selected: focused}}>
			<Text {...styleOf(focused ? 'accent' : 'muted')}>
				{screenReader ? '' : `${glyphs.pointer} `}
			</Text>
			<Text>{before}</Text>
			{focused && <Text {...styleOf('accent')}>{caret}</Text>}
			<Text>{after}</Text>
			{screenReader && focused && after !== '' && <Text>, cursor before {after}</Text>}
			<Text {...styleOf('attention')}>{note}</Text>
		</Box>
	);
}

/** The text before and after the cursor, as much as fits: at most a third of the room is for what follows. */
function around({text, cursor}: EditedLine, room: number) {
	const [before, after] = [text.slice(0, cursor), text.slice(cursor)];
	const follows = Math.min(
		stringWidth(after),
		Math.max(Math.floor(room / 3), room - stringWidth(before)),
	);
	return {before: truncate(before, room - follows, 'start'), after: truncate(after, follows)};
}
