import {LOCK_OUT_WORD} from '../../../source/ui/text/texts.ts';
import {walkTo} from '../ui/journey.ts';
import type {Terminal} from './terminal.ts';

/** The wizard's countdown. */
export const COUNTDOWN = /The old rules are restored in \d+ s/;

/** Walks through the wizard with the answers that it was started with, and loads the rules. */
export async function walkAndLoad(terminal: Terminal, initSystem: 'shut' | 'open'): Promise<void> {
	await walkTo(terminal, 'Load these rules now?');
	if (initSystem === 'shut') {
		terminal.type(LOCK_OUT_WORD);
	}

	terminal.press('enter');
	await terminal.waitFor(COUNTDOWN);
}
