import process from 'node:process';
import {expect} from 'vitest';
import {CLI} from '../lab/cli.ts';
import type {Terminal} from './terminal.ts';

const ESC = '\u001B';
const SHELL = 'seq 1 200; stty -a; "$@"; echo "status $?"; stty -a';
/** The wizard in a shell that has filled its scrollback and prints the terminal's settings before and after. */
export const PROGRAM = ['sh', '-c', SHELL, 'sh', process.execPath, CLI];
const COUNTED = Array.from({length: 200}, (_, index) => `${index + 1}`);

/** The normal screen with all its lines, the cursor shown, no marks around a paste, the old settings. */
export function expectRestored(terminal: Terminal): void {
	const output = terminal.output();
	expect(terminal.buffer()).toBe('normal');
	expect(terminal.history().split('\n').slice(0, 200)).toEqual(COUNTED);
	expect(output).not.toContain(`${ESC}[3J`);
	for (const mode of ['?1049', '?2004']) {
		// Equal where it was never begun.
		expect(output.lastIndexOf(`${ESC}[${mode}l`), mode).toBeGreaterThanOrEqual(
			output.lastIndexOf(`${ESC}[${mode}h`),
		);
	}

	expect(output.lastIndexOf(`${ESC}[?25h`)).toBeGreaterThanOrEqual(
		output.lastIndexOf(`${ESC}[?25l`),
	);
	const [before, after] = [...output.matchAll(/speed \d+ baud[^$]*?-extproc/g)].map(([text]) =>
		text.replace(/rows \d+; columns \d+/, '').replaceAll(/\s+/g, ' '),
	);
	expect(after, output.slice(-2000)).toBe(before);
	expect(after).toContain(' icanon ');
}
