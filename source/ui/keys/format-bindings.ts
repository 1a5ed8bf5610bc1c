import wrapAnsi from 'wrap-ansi';
import {truncate} from '../text/truncate.ts';
import {screenReader} from '../theme.ts';
import type {ActiveBinding} from './bindings.ts';

/** The parts of a binding that the screen shows. */
type Shown = Pick<ActiveBinding, 'key' | 'label' | 'helpOnly'>;

const HELP = '  ? help';
/** The same, where the line has no room for all keys. */
const HELP_WITH_MORE = '  ? more';
/** The last line while `?` shows all keys. */
export const CLOSING = 'Any key goes back';
export const SCROLLING = 'Up/Down read  any other key goes back';

/**
 * The last line of the screen: as many keys as fit, in the order of the table, none of them
 * truncated. However narrow the line is, it says how to see all keys. Empty where the screen waits
 * and has no keys.
 */
export function keyLine(bindings: readonly Shown[], columns: number): string {
	const entries = bindings.filter(({helpOnly}) => !helpOnly).map(entryText);
	if (entries.length === 0) {
		return '';
	}

	if (screenReader) {
		return `Keys: ${entries.join(', ')}, ${HELP.trim()}`;
	}

	const room = columns - HELP.length;
	const lengths = entries.map((_, index) => entries.slice(0, index + 1).join('  ').length);
	const fitting = entries.slice(0, Math.max(1, lengths.filter((length) => length <= room).length));
	return `${truncate(fitting.join('  '), room)}${fitting.length < entries.length ? HELP_WITH_MORE : HELP}`;
}

/**
 * All keys, one line each. Where the step is too low for that, they follow one another in the same
 * lines.
 */
export function keyList(
	bindings: readonly Shown[],
	{columns, height}: {readonly columns: number; readonly height: number},
): readonly string[] {
	const wrap = (text: string) => wrapAnsi(text, columns, {hard: true}).split('\n');
	const width = Math.max(...bindings.map(({key}) => key.length)) + 3;
	const apart = bindings.flatMap(({key, label}) =>
		wrap(screenReader ? `${key}: ${label}` : `${key.padEnd(width)}${label}`),
	);
	return apart.length <= height ? apart : wrap(bindings.map(entryText).join('; '));
}

function entryText({key, label}: Shown): string {
	return `${key} ${label}`;
}
