import type {Item} from '../../checklist/checklist-item.ts';
import type {Verdict} from '../../policy/policy.ts';
import {RIGHT_ANSWERS} from '../../proof/nmap/commands.ts';
import {glyphs} from '../theme.ts';
import type {Line} from './wrap.ts';
import {wrapLines} from './wrap.ts';

/**
 * The lines of the checklist, the items that failed first. Under an item that is not well, its
 * cause and what to do are given; under a scan that is still to be done, also the result to expect.
 */
export function checklistLines(
	items: readonly Item[],
	width: number,
	verdict: Verdict,
): readonly Line[] {
	const sorted = [...items].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
	return sorted.flatMap((item): readonly Line[] => [
		...wrapLines(item.title, width, TONES[item.state], `${signOf(item)} `),
		...(item.cause === undefined ? [] : wrapLines(item.cause, width, 'plain', '    ')),
		...(item.id === 'scanned' && item.state === 'open'
			? wrapLines(`expected: ${RIGHT_ANSWERS[verdict]}`, width, 'plain', '    ')
			: []),
		...(item.fix === undefined ? [] : wrapLines(item.fix, width, 'muted', '    ')),
	]);
}

/** Whether everything is well but the test by a reboot, so that the wizard may offer to reboot. */
export function isReadyToReboot(items: readonly Item[]): boolean {
	return items.every(({id, state}) => state === 'ok' || (id === 'survived' && state === 'open'));
}

const ORDER: ReadonlyArray<Item['state']> = ['failed', 'open', 'ok'];

const TONES = {ok: 'good', failed: 'danger', open: 'attention'} as const;

function signOf({state}: Item): string {
	return {ok: glyphs.done, failed: glyphs.failed, open: glyphs.open}[state];
}
