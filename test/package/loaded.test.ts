import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {useWizardHost} from '../_helpers/terminal/wizard-host.ts';

const HOOK = path.resolve(import.meta.dirname, './report-sources.cjs');
/** Texts that stand in the code of each, and outlive minification. */
const MARKS = {
	Ink: 'ink-root',
	Yoga: 'instantiateWasm',
	React: 'react.transitional.element',
};

describe('the code that has been read', () => {
	const {start} = useWizardHost();
	let folder = '';

	beforeAll(() => {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fww-loaded-'));
	});
	afterAll(() => rmSync(folder, {recursive: true, force: true}));

	/** The program in a terminal, and the file into which it writes the code that it reads. */
	const watch = (name: string, args: readonly string[]) => {
		const file = path.join(folder, name);
		const words = [process.execPath, '--require', HOOK, CLI, ...args];
		return {file, terminal: start(['env', `SOURCES=${file}`, ...words])};
	};
	/** The libraries in the code that was compiled. Code in the comment was not. */
	const findLibraries = (text: string) => {
		const code = text.replace(/^function code\(\) \{\/\*$.*?^\*\/\}$/ms, '');
		return Object.entries(MARKS).flatMap(([name, mark]) => (code.includes(mark) ? name : []));
	};

	test.each(['--version', '--help', 'rules', 'check'])(
		'by %s is without what draws the wizard',
		async (command) => {
			const args = command === 'rules' ? [command, '--role', 'server'] : [command];
			const {file, terminal} = watch(command, args);
			expect(await terminal.ended).toBeLessThan(2);
			expect(terminal.screen()).not.toBe('');
			expect(findLibraries(readFileSync(file, 'utf8'))).toEqual([]);
		},
	);

	test('by the wizard is all of it, after its first frame', async () => {
		const {file, terminal} = watch('wizard', []);
		await terminal.waitFor(/^iptables: \d/m);
		terminal.press('ctrlC');
		expect(await terminal.ended).toBe(130);
		const [before = '', after = ''] = readFileSync(file, 'utf8').split(
			/^--- prints .*Looking at this machine.*$/m,
		);
		expect(findLibraries(before)).toEqual([]);
		expect(findLibraries(after)).toEqual(Object.keys(MARKS));
	});
});
