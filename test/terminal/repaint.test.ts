import {readlinkSync, writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import type {Terminal} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {goOn, isDrawnFor, QUESTIONS} from '../_helpers/ui/journey.ts';

/** As wall(1) writes: over several lines, and at the lower edge the screen scrolls. */
const BROADCAST = `\r\n\r\nBroadcast message from root@host:\r\n\r\n${'The system will be halted. '.repeat(20)}\r\n`;
const REPAINT = '\f';

/** Writes on a terminal as another process does. */
function disturb({pid}: Terminal): void {
	writeFileSync(readlinkSync(`/proc/${pid}/fd/0`), BROADCAST);
}

/** Without the clock. */
function still(screen: string): string {
	return screen.replaceAll(/\d+ s\b/g, 'N s').replaceAll(/[█·]{10,}/g, '#');
}

describe('what others write on the terminal', () => {
	const {open} = useWizardHost();

	const isDrawnAgain = async (terminal: Terminal, before: string) => {
		const seen = terminal.output().length;
		disturb(terminal);
		await terminal.waitFor(() => terminal.output().includes('Broadcast message', seen));
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

	test('is painted over at once in every step', async () => {
		const terminal = open({columns: 80, rows: 24}, '--role', 'server', '--open', '22/tcp');
		await terminal.waitFor(QUESTIONS[0]);
		for (const [index, question] of QUESTIONS.entries()) {
			await isStill(terminal);
			const seen = terminal.output().length;
			disturb(terminal);
			await terminal.waitFor(() => terminal.output().includes('Broadcast message', seen));
			await terminal.waitFor(
				(screen) => screen.includes(question) && !screen.includes('Broadcast message'),
			);
			const next = QUESTIONS[index + 1];
			if (next !== undefined) {
				await goOn(terminal, next);
			}
		}
	});

	test('is painted over also while others write without a pause', async () => {
		const terminal = open();
		await terminal.waitFor(QUESTIONS[0]);
		await isStill(terminal);
		const seen = terminal.output().length;
		const writing = setInterval(() => disturb(terminal), 20);
		try {
			await terminal.waitFor(() => {
				const disturbed = terminal.output().indexOf('Broadcast message', seen);
				return disturbed !== -1 && terminal.output().includes(QUESTIONS[0], disturbed);
			});
		} finally {
			clearInterval(writing);
		}
	});

	test('Ctrl-L draws the screen anew', async () => {
		const terminal = open();
		await terminal.waitFor(QUESTIONS[0]);
		const drawn = terminal.output().length;
		terminal.type(REPAINT);
		await expect.poll(() => terminal.output().slice(drawn)).toContain(QUESTIONS[0]);
		expect(terminal.buffer()).toBe('alternate');
	});
});

/** Waits for a moment at which nothing is drawn: two writes at almost the same time are one event to the wizard. */
async function isStill(terminal: Terminal): Promise<void> {
	for (let seen = -1; seen !== terminal.output().length; ) {
		seen = terminal.output().length;
		await sleep(150);
	}
}

/** Waits for the frame of a width. */
async function drawnFor(terminal: Terminal, columns: number): Promise<string> {
	return terminal.waitFor((screen) => isDrawnFor(screen, columns));
}
