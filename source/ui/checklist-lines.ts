import type {Item} from '../persistence/item.ts';
import type {Line} from './lines.ts';
import {wrapLines} from './lines.ts';
import {glyphs} from './theme.ts';

/** The checklist as lines, what is not well first: each item, and under one that is not well its cause and what to do. */
export function checklistLines(items: readonly Item[], width: number): readonly Line[] {
	const sorted = [...items].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
	return sorted.flatMap((item): readonly Line[] => [
		...wrapLines(item.title, width, TONES[item.state], `${signOf(item)} `),
		...(item.cause === undefined ? [] : wrapLines(item.cause, width, 'plain', '    ')),
		...(item.fix === undefined ? [] : wrapLines(item.fix, width, 'muted', '    ')),
	]);
}

/** Whether the machine may be rebooted to see: all is well but that. */
export function isReadyToReboot(items: readonly Item[]): boolean {
	return items.every(({id, state}) => state === 'ok' || (id === 'survived' && state === 'open'));
}

const ORDER: ReadonlyArray<Item['state']> = ['failed', 'open', 'ok'];

const TONES = {ok: 'accept', failed: 'warning', open: 'reject'} as const;

function signOf({state}: Item): string {
	return {ok: glyphs.done, failed: glyphs.failed, open: glyphs.open}[state];
}
