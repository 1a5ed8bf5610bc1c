import {Box, Text} from 'ink';
import SelectInput from 'ink-select-input';
import {type ReactElement, useContext} from 'react';
import {truncate} from '../text/truncate.ts';
import {glyphs, screenReader, styleOf, type Tone} from '../theme.ts';
import {WidthContext} from './paragraph.tsx';

type Props = {
	/** One line each. */
	readonly labels: readonly string[];
	readonly focus: number;
	readonly onFocus: (index: number) => void;
	readonly onChoose: (index: number) => void;
};

/** A list of which one is chosen with Enter. */
export function Choices({labels, focus, onFocus, onChoose}: Props): ReactElement {
	return (
		// Where there is no room for the whole step, its end is cut off, never its lines squeezed into one.
		<Box flexDirection="column" flexShrink={0}>
			<SelectInput
				items={labels.map((label, value) => ({label, value}))}
				initialIndex={focus}
				indicatorComponent={Pointer}
				itemComponent={Label}
				// On an empty list keys give nothing.
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

/** What stands before a choice. Read out, it is parted from that by itself, and empty for the others. */
function pointerText(isSelected: boolean): string {
	if (screenReader) {
		return isSelected ? glyphs.pointer : '';
	}

	return isSelected ? `${glyphs.pointer} ` : '  ';
}

type LabelProps = {
	readonly isSelected?: boolean;
	readonly label: string;
	/** What stands behind it in the same line. */
	readonly note?: string;
	/** When it has not the focus. */
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
