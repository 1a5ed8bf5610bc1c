import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';
import type {Terminal} from '../_helpers/terminal/terminal.ts';
import {COUNTDOWN} from '../_helpers/terminal/walk.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';
import {walkTo} from '../_helpers/ui/journey.ts';

const ESC = '\u001B';
const SUSPEND = '\u001A';

describe('Ctrl-Z', () => {
	const {host, open, start} = useWizardHost();

	/** A shell with job control, and the wizard started in it. */
	const openInShell = async (...args: readonly string[]): Promise<Terminal> => {
		const shell = start(['env', 'PS1=$ ', 'bash', '--norc', '-i'], {columns: 100, rows: 30});
		await shell.waitFor('$');
		shell.type(`${process.execPath} ${CLI} ${args.join(' ')}\r`);
		return shell;
	};
	/** Stops the wizard, and waits until the shell has said so. */
	const stop = async (terminal: Terminal): Promise<void> => {
		terminal.type(SUSPEND);
		await terminal.waitFor('Stopped');
		const output = terminal.output();
		expect(terminal.buffer()).toBe('normal');
		for (const mode of ['?1049', '?2004']) {
			expect(output.indexOf(`${ESC}[${mode}h`), mode).toBeGreaterThan(-1);
		}

		expect(output.lastIndexOf(`${ESC}[?1049l`)).toBeGreaterThan(
			output.lastIndexOf(`${ESC}[?1049h`),
		);
		expect(output.lastIndexOf(`${ESC}[?25h`)).toBeGreaterThan(output.lastIndexOf(`${ESC}[?25l`));
	};

	test('gives the terminal back to the shell, and fg brings all answers back', async () => {
		const terminal = await openInShell('--role', 'server');
		await walkTo(terminal, 'Which ports should be open?');
		terminal.type('443');
		const before = await terminal.waitFor('Enter opens 443');
		await stop(terminal);
		terminal.type('stty -a\r');
		expect(await terminal.waitFor('icanon')).not.toContain('-icanon');
		terminal.type('fg\r');
		await terminal.waitFor((screen) => screen === before);
		expect(terminal.buffer()).toBe('alternate');
		terminal.type('/tcp');
		await terminal.waitFor('Enter opens 443/tcp');
		terminal.press('ctrlC');
		await terminal.waitFor('Nothing was changed.');
		expect(terminal.buffer()).toBe('normal');
	});

	test('while the rules wait to be kept leaves the watchdog at work', async () => {
		const before = withoutEmptyTables(await readSaves(host()));
		const terminal = await openInShell('--role', 'workstation', '--confirm-within', '10');
		await walkTo(terminal, 'Load these rules now?');
		terminal.press('enter');
		await terminal.waitFor(COUNTDOWN);
		await stop(terminal);
		expect((await readSaves(host())).ipv4).toContain('FW-WIZARD-INPUT');
		while ((await readSaves(host())).ipv4.includes('-A INPUT -j FW-WIZARD')) {
			await delay(250);
		}

		terminal.type('fg\r');
		await terminal.waitFor('Not confirmed in time: the old rules are back');
		terminal.press('ctrlC');
		await terminal.waitFor('To try again: node ');
		expect(withoutEmptyTables(await readSaves(host()))).toEqual(before);
	});

	test('without a shell that could bring it back goes on at once', async () => {
		const terminal = open();
		await walkTo(terminal, 'What is this machine?');
		terminal.type(`${SUSPEND}${SUSPEND}${ESC}[B`);
		expect(await terminal.waitFor('❯ Server')).toContain('What is this machine?');
		expect(terminal.buffer()).toBe('alternate');
	});
});
