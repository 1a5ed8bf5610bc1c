import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {parseShell} from '../../source/lib/parse-shell.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {execute} from '../_helpers/lab/programs.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const README = readFileSync(path.join(ROOT, 'readme.md'), 'utf8');
const words = (text: string) => text.split(/\s+/).filter(Boolean).length;

describe('the readme', () => {
	test('says on its first screen what it is and how to try it, in under 150 words with one picture', () => {
		const [first = ''] = README.split(/^## /m);
		expect(words(first)).toBeLessThan(150);
		expect(first.match(/!\[/g)).toHaveLength(1);
		expect(first).toContain('npm ci && npm start');
		expect(words(README)).toBeLessThanOrEqual(1800);
	});

	// npm shows it too, where a relative address leads nowhere.
	test('has absolute addresses, and the pictures and files of this repository to which they lead', () => {
		const links = [...README.matchAll(/(!?)\[[^\]]*\]\(([^)]+)\)/g)];
		expect(links.length).toBeGreaterThan(5);
		const targets = links.map(([, sign = '', target = '']) => `${sign}${target}`);
		expect(targets.filter((target) => !/^!?https:/.test(target))).toEqual([]);
		const own =
			/^(?:https:\/\/github\.com\/fw-wizard\/fw-wizard\/blob|!https:\/\/raw\.githubusercontent\.com\/fw-wizard\/fw-wizard)\/main\/(.+)$/;
		const here = targets.flatMap((target) => own.exec(target)?.[1] ?? []);
		expect(here.filter((file) => file.startsWith('media/'))).toHaveLength(2);
		expect(here.length).toBeGreaterThan(3);
		expect(here.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
		// Each picture is one of these.
		expect(targets.filter((target) => target.startsWith('!')).every((one) => own.test(one))).toBe(
			true,
		);
	});

	test('names commands and flags that exist', async () => {
		const code = [...README.matchAll(/^```sh\n([\s\S]*?)^```$|`(fw-wizard [^`\n]+)`/gm)];
		const lines = code.flatMap(([, block, inline]) => (block ?? inline ?? '').split('\n'));
		const calls = lines
			.filter((line) => /^fw-wizard [a-z]/.test(line))
			.map((line) => parseShell(line).commands[0]?.words.slice(1) ?? []);
		expect(calls.length).toBeGreaterThan(15);
		const help = async (name: string) =>
			(await execute([process.execPath, CLI, 'help', ...(name === 'COMMAND' ? [] : [name])]))
				.stdout;
		for (const [name = '', ...args] of calls) {
			const text = await help(name === 'help' ? 'help' : name);
			expect(text, name).toContain(`Usage: fw-wizard ${name}`);
			for (const flag of args.filter((word) => word.startsWith('--'))) {
				expect(text, `${name} ${flag}`).toContain(flag);
			}
		}
	});
});
