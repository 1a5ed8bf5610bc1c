import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {findInner} from '../_helpers/lab/machine.ts';
import {expectRestored, PROGRAM} from '../_helpers/terminal/restored.ts';
import type {Terminal} from '../_helpers/terminal/terminal.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {expectFits} from '../_helpers/ui/frames.ts';
import {goOn, QUESTIONS, walkTo} from '../_helpers/ui/journey.ts';

describe('the terminal', () => {
	const {open, start} = useWizardHost();

	test('is left as it was found, its scrollback too', async () => {
		const terminal = start(PROGRAM);
		await terminal.waitFor(QUESTIONS[0]);
		expect(terminal.buffer()).toBe('alternate');
		for (const [columns, rows] of [
			[60, 20],
			[120, 40],
			[80, 24],
		] as const) {
			terminal.resize(columns, rows);
			await waitForWidth(terminal, columns);
		}

		await walkTo(terminal, 'What is let in?');
		terminal.press('ctrlC');
		await terminal.ended;
		expect(terminal.screen()).toContain('Nothing was changed.\nstatus 130\n');
		expectRestored(terminal);
	});

	test('is left as it was found when the program is ended by a signal', async () => {
		const terminal = start(PROGRAM);
		await walkTo(terminal, 'What is let in?');
		process.kill(findInner(terminal.pid), 'SIGTERM');
		await terminal.ended;
		expect(terminal.screen()).toContain(`status ${128 + 15}\n`);
		expectRestored(terminal);
	});

	test('is left also in the first moment', async () => {
		const terminal = start(PROGRAM);
		await terminal.waitFor(QUESTIONS[0]);
		terminal.press('ctrlC');
		await terminal.ended;
		expect(terminal.screen()).toContain('Nothing was changed.\nstatus 130\n');
		expectRestored(terminal);
	});

	test('may become small and large again in one moment', async () => {
		const terminal = open({}, '--role', 'server');
		const before = await walkTo(terminal, 'What happens to a connection');
		terminal.resize(80, 10);
		terminal.resize(80, 24);
		// The terminal has scrolled: the frame must be drawn again, where it was.
		await terminal.waitFor((screen) => screen === before);
		terminal.press('down');
		const after = await terminal.waitFor('❯ Reset');
		expect(after.split('\n').slice(0, 3)).toEqual(before.split('\n').slice(0, 3));
	});

	test('may change its size at any step', async () => {
		const terminal = open({columns: 120, rows: 40});
		for (const question of QUESTIONS) {
			const first =
				question === QUESTIONS[0]
					? await terminal.waitFor(/^Recommended role: /m)
					: await goOn(terminal, question);
			// What is found out about helpers comes a moment later.
			const wanted =
				question === 'Which old protocols' ? await terminal.waitFor('This kernel has it') : first;
			for (const [columns, rows] of [
				[60, 20],
				[40, 10],
				[200, 50],
			] as const) {
				terminal.resize(columns, rows);
				expectFits((await waitForWidth(terminal, columns)).split('\n'), [columns, rows]);
			}

			terminal.resize(120, 40);
			// The proof goes on meanwhile.
			await terminal.waitFor((now) => now === wanted || /packets|ports a second/.test(now));
		}
	});
});

/** Waits for the frame that is drawn for a width. */
async function waitForWidth(terminal: Terminal, columns: number): Promise<string> {
	const line = '─'.repeat(columns - 1);
	// Of a wider frame that the terminal has wrapped, a piece could be as long.
	return terminal.waitFor((screen) => {
		const lines = screen.split('\n');
		return lines.includes(line) && lines.every(({length}) => length < columns);
	});
}
