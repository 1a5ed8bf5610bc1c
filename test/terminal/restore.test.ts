import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {findInner} from '../_helpers/lab/machine.ts';
import {expectRestored, PROGRAM} from '../_helpers/terminal/restored.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {expectFits} from '../_helpers/ui/frames.ts';
import {goOn, isDrawnFor, QUESTIONS, walkTo} from '../_helpers/ui/journey.ts';

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
			await terminal.waitFor((now) => isDrawnFor(now, columns));
		}

		await walkTo(terminal, 'Which ports should be open?');
		terminal.press('ctrlC');
		await terminal.ended;
		expect(terminal.screen()).toContain('Nothing was changed.\nstatus 130\n');
		expectRestored(terminal);
	});

	test('is left as it was found when the program is ended by a signal', async () => {
		const terminal = start(PROGRAM);
		await walkTo(terminal, 'Which ports should be open?');
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
		const before = await walkTo(terminal, 'What happens to a blocked connection');
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
					? await terminal.waitFor(question)
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
				expectFits((await terminal.waitFor((now) => isDrawnFor(now, columns))).split('\n'), [
					columns,
					rows,
				]);
			}

			terminal.resize(120, 40);
			// The proof goes on meanwhile.
			await terminal.waitFor((now) => now === wanted || /packets|ports a second/.test(now));
		}
	});
});
