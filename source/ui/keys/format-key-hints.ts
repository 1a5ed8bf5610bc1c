import wrapAnsi from 'wrap-ansi';
import {truncate} from '../text/truncate.ts';
import {screenReader} from '../theme.ts';

const HELP = '  ? keys';
/** The same where some of them are not in the line. */
const HELP_WITH_MORE = '  ? more';
/** What is the same at every step, and stands in no line of keys. */
const EVERYWHERE = ['Ctrl-C leave', 'Ctrl-Z to the shell, fg comes back', '? these keys'];
/** In the place of the line, while all keys are shown. */
export const CLOSING = 'Any key goes back';

/**
 * The keys of a step in one line: as many as fit, from the first on, none of them cut. It tells how to
 * see them all however narrow it is.
 */
export function keyLine(keys: string, columns: number): string {
	if (keys === '') {
		return '';
	}

	if (screenReader) {
		return `Keys: ${keys.split('  ').join(', ')}, ${HELP.trim()}`;
	}

	const room = columns - HELP.length;
	const entries = keys.split('  ');
	const lengths = entries.map((_, index) => entries.slice(0, index + 1).join('  ').length);
	const fitting = entries.slice(0, Math.max(1, lengths.filter((length) => length <= room).length));
	return `${truncate(fitting.join('  '), room)}${fitting.length < entries.length ? HELP_WITH_MORE : HELP}`;
}

/**
 * All keys of a step, a line each; where there is no room for that, one after the other.
 * @param keys as the line at the bottom has them, two spaces between them: `Enter go on  Esc back`
 */
export function keyList(
	keys: string,
	{columns, height}: {readonly columns: number; readonly height: number},
): readonly string[] {
	const own = keys.split('  ').filter((entry) => entry !== '');
	const names = new Set(own.map((entry) => splitEntry(entry).key));
	const entries = [...own, ...EVERYWHERE.filter((entry) => !names.has(splitEntry(entry).key))];
	const wrap = (text: string) => wrapAnsi(text, columns, {hard: true}).split('\n');
	const parts = entries.map(splitEntry);
	const width = Math.max(...parts.map(({key}) => key.length)) + 3;
	const apart = parts.flatMap(({key, meaning}) =>
		wrap(screenReader ? `${key}: ${meaning}` : `${key.padEnd(width)}${meaning}`),
	);
	const lines = apart.length <= height ? apart : wrap(entries.join('; '));
	return lines.length <= height
		? lines
		: [...lines.slice(0, height - 1), truncate(lines.slice(height - 1).join(' '), columns)];
}

/** `Tab or Esc back to the list` → `Tab or Esc` and `back to the list` */
function splitEntry(entry: string): {readonly key: string; readonly meaning: string} {
	const [, key = entry, meaning = ''] = /^(\S+(?: or \S+)?) (.*)$/.exec(entry) ?? [];
	return {key, meaning};
}
