import {readlinkSync, writeFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {Terminal} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';

/** As wall(1) writes: over several lines, and at the lower edge the screen scrolls. */
const BROADCAST = `\r\n\r\nBroadcast message from root@host:\r\n\r\n${'The system will be halted. '.repeat(20)}\r\n`;
const REPAINT = '\f';

/** Writes on a terminal as another process does. */
function disturb({pid}: Terminal): void {
	writeFileSync(readlinkSync(`/proc/${pid}/fd/0`), BROADCAST);
}

/** Without the clock. */
function still(screen: string): string {
	return screen.replaceAll(/\d+ s\b/g, 'N s');
}

describe('what others write on the terminal', () => {
	const {open} = useWizardHost();

	const isDrawnAgain = async (terminal: Terminal, before: string) => {
		disturb(terminal);
		await terminal.waitFor('Broadcast message');
		await terminal.waitFor((screen) => still(screen) === still(before));
	};

	test('is gone again soon while the rules wait, and after they were rolled back', async () => {
		const terminal = open({columns: 120, rows: 40}, '--role', 'server', '--open', '22/tcp');
		await walkAndLoad(terminal, 'open');
		for (const [columns, rows] of [
			[120, 40],
			[80, 24],
			[60, 20],
		] as const) {
			terminal.resize(columns, rows);
			await isDrawnAgain(terminal, await drawnFor(terminal, columns));
		}

		terminal.type('kee');
		await isDrawnAgain(terminal, await terminal.waitFor(/^\S kee\W?$/m));
		terminal.press('escape');
		await isDrawnAgain(terminal, await terminal.waitFor('The old rules are back'));
	});

	test('is gone with Ctrl-L in every step', async () => {
		const terminal = open();
		const before = await terminal.waitFor('Recommended role');
		disturb(terminal);
		await terminal.waitFor('Broadcast message');
		terminal.type(REPAINT);
		await terminal.waitFor((screen) => screen === before);
		expect(terminal.buffer()).toBe('alternate');
	});
});

/** Waits for the frame of a width: its lines from edge to edge have that length. */
async function drawnFor(terminal: Terminal, columns: number): Promise<string> {
	return terminal.waitFor((screen) =>
		screen.split('\n').some((line) => /^[-─]+$/.test(line) && line.length === columns - 1),
	);
}
