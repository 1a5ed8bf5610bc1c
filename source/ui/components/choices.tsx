import {Box, Text, useInput} from 'ink';
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
	/** The pages of a text below are turned by PgUp and PgDn. */
	readonly pages?: boolean;
};

/** A list of choices. Enter chooses the focused one. Up and Down continue at the other end. */
export function Choices({labels, focus, onFocus, onChoose, pages = false}: Props): ReactElement {
	useInput((input, key) => {
		const last = labels.length - 1;
		const letter = key.ctrl || key.meta ? '' : input;
		if (last < 0) {
			return;
		}

		if (key.return) {
			onChoose(focus);
		} else if (key.upArrow || letter === 'k') {
			onFocus(focus <= 0 ? last : focus - 1);
		} else if (key.downArrow || letter === 'j') {
			onFocus(focus >= last ? 0 : focus + 1);
		} else if (key.home || (key.pageUp && !pages)) {
			onFocus(0);
		} else if (key.end || (key.pageDown && !pages)) {
			onFocus(last);
		}
	});
	return (
		// Where the step is too tall, its end is cut off. Without this, Ink would draw several lines
		// into one.
		<Box flexDirection="column" flexShrink={0}>
			{labels.map((label, index) => (
				<Box key={label}>
					<Pointer isSelected={index === focus} />
					<Label isSelected={index === focus} label={label} />
				</Box>
			))}
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
			<Text {...styleOf('muted')}>{screenReader ? note.trimStart() : note}</Text>
		</Box>
	);
}
