import wrapAnsi from 'wrap-ansi';
import {cut} from './cut.ts';

const HELP = '  ? keys';
/** What is the same at every step, and stands in no line of keys. */
const EVERYWHERE = ['Ctrl-C leave', 'Ctrl-Z to the shell, fg comes back', '? these keys'];
const CLOSING = 'Any key goes back.';

/** The keys of a step in one line, which tells how to see them all however narrow it is. */
export function keyLine(keys: string, columns: number): string {
	return `${cut(keys, columns - HELP.length)}${HELP}`;
}

/**
 * All keys of a step, a line each; where there is no room for that, one after the other.
 * @param keys as the line at the bottom has them, two spaces between them: `Enter go on  Esc back`
 */
export function keyList(
	keys: string,
	{columns, height}: {readonly columns: number; readonly height: number},
): readonly string[] {
	const own = keys.split('  ');
	const names = new Set(own.map((entry) => splitEntry(entry).key));
	const entries = [...own, ...EVERYWHERE.filter((entry) => !names.has(splitEntry(entry).key))];
	const wrap = (text: string) => wrapAnsi(text, columns, {hard: true}).split('\n');
	const parts = entries.map(splitEntry);
	const width = Math.max(...parts.map(({key}) => key.length)) + 3;
	const apart = parts.flatMap(({key, meaning}) => wrap(`${key.padEnd(width)}${meaning}`));
	const lines = apart.length + 2 <= height ? [...apart, '', CLOSING] : wrap(entries.join('; '));
	return lines.length <= height
		? lines
		: [...lines.slice(0, height - 1), cut(lines.slice(height - 1).join(' '), columns)];
}

/** `Tab or Esc back to the list` → `Tab or Esc` and `back to the list` */
function splitEntry(entry: string): {readonly key: string; readonly meaning: string} {
	const [, key = entry, meaning = ''] = /^(\S+(?: or \S+)?) (.*)$/.exec(entry) ?? [];
	return {key, meaning};
}
