import {Box, Text} from 'ink';
import SelectInput from 'ink-select-input';
import {type ReactElement, useContext} from 'react';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf, type Tone} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	/** One line for each choice. */
	readonly labels: readonly string[];
	readonly focus: number;
	readonly onFocus: (index: number) => void;
	readonly onChoose: (index: number) => void;
};

/** A list of choices. Enter chooses the focused one. */
export function Choices({labels, focus, onFocus, onChoose}: Props): ReactElement {
	return (
		// Where the step is too tall, its end is cut off. Without this, Ink would draw several lines
		// into one.
		<Box flexDirection="column" flexShrink={0}>
			<SelectInput
				items={labels.map((label, value) => ({label, value}))}
				initialIndex={focus}
				indicatorComponent={Pointer}
				itemComponent={Label}
				// With an empty list, ink-select-input calls this without an item.
				onHighlight={(item?: {value: number}) => item && onFocus(item.value)}
				onSelect={(item?: {value: number}) => item && onChoose(item.value)}
			/>
		</Box>
	);
}

const POINTER_COLUMNS = 2;

export function Pointer({isSelected = false}: {readonly isSelected?: boolean}): ReactElement {
	return (
		<Box flexShrink={0}>
			<Text {...styleOf('accent')}>{pointerText(isSelected)}</Text>
		</Box>
	);
}

/**
 * The mark before a choice. A screen reader separates it from the text by itself, and the mark of
 * choices without the focus is empty.
 */
function pointerText(isSelected: boolean): string {
	if (screenReader) {
		return isSelected ? glyphs.pointer : '';
	}

	return isSelected ? `${glyphs.pointer} ` : '  ';
}

type LabelProps = {
	readonly isSelected?: boolean;
	readonly label: string;
	/** A remark behind the label, in the same line. */
	readonly note?: string;
	/** The tone of a label without the focus. */
	readonly tone?: Tone;
};

export function Label({
	isSelected = false,
	label,
	note = '',
	tone = 'plain',
}: LabelProps): ReactElement {
	const room = useContext(WidthContext) - POINTER_COLUMNS - note.length;
	return (
		<Box flexShrink={0}>
			<Text {...styleOf(isSelected ? 'accent' : tone)}>{truncate(label, room)}</Text>
			<Text {...styleOf('muted')}>{note}</Text>
		</Box>
	);
}
