import process from 'node:process';
import {setTimeout} from 'node:timers/promises';
import {describe, expect, test, vi} from 'vitest';
import {findInner} from '../_helpers/lab/machine.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import {expectRestored, PROGRAM} from '../_helpers/terminal/restored.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {walkTo} from '../_helpers/ui/journey.ts';

describe('a signal', () => {
	const {host, start} = useWizardHost();

	test.each([
		['SIGTERM', 15],
		['SIGHUP', 1],
	] as const)(
		'%s while the rules wait to be kept leaves it to the watchdog to put the old ones back',
		async (signal, number) => {
			const before = withoutEmptyTables(await readSaves(host()));
			const words = ['--role', 'workstation', '--verdict', 'drop', '--confirm-within', '10'];
			const terminal = start([...PROGRAM, ...words]);
			await walkAndLoad(terminal, 'open');
			expect((await readSaves(host())).ipv4).toContain('-A FW-WIZARD-INPUT -j DROP');
			process.kill(findInner(terminal.pid), signal);
			await terminal.ended;
			expect(terminal.screen()).toContain(`status ${128 + number}\n`);
			expectRestored(terminal);
			await vi.waitFor(
				async () => expect(withoutEmptyTables(await readSaves(host()))).toEqual(before),
				{timeout: 30_000, interval: 250},
			);
		},
	);

	test.each([
		'This is what changes',
		'Does it do what you chose?',
		'Load these rules now?',
	] as const)('SIGHUP at "%s" changes nothing', async (question) => {
		const before = withoutEmptyTables(await readSaves(host()));
		const terminal = start([...PROGRAM, '--role', 'workstation']);
		await walkTo(terminal, question);
		process.kill(findInner(terminal.pid), 'SIGHUP');
		await terminal.ended;
		expect(terminal.screen()).toContain(`status ${128 + 1}\n`);
		expectRestored(terminal);
		expect(withoutEmptyTables(await readSaves(host()))).toEqual(before);
	});

	test('SIGHUP ends it whenever it comes, also while it is being loaded', async () => {
		for (let delay = 0; delay < 400; delay += 20) {
			const terminal = start([...PROGRAM, '--role', 'workstation']);
			await terminal.waitFor(/Looking at this machine|Review this setup/);
			await setTimeout(delay);
			process.kill(findInner(terminal.pid), 'SIGHUP');
			await terminal.ended;
			expect(terminal.screen(), `after ${delay} ms`).toContain(`status ${128 + 1}\n`);
			expectRestored(terminal);
		}
	});
});
