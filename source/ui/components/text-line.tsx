import {Text} from 'ink';
import type {ReactElement} from 'react';
import type {Line} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';

/** A line of a text that scrolls. Ink gives an empty text no height, so a space stands for it. */
export function TextLine({text, tone}: Line): ReactElement {
	return <Text {...styleOf(tone)}>{text === '' ? ' ' : text}</Text>;
}
