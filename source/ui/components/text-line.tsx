import {Text} from 'ink';
import type {ReactElement} from 'react';
import type {Line} from '../text/wrap.ts';
import {styleOf} from '../theme.ts';

/** A line of a text that scrolls; an empty one keeps its height. */
export function TextLine({text, tone}: Line): ReactElement {
	return <Text {...styleOf(tone)}>{text === '' ? ' ' : text}</Text>;
}
