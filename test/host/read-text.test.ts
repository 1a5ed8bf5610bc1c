import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {build} from 'esbuild';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {listFolder, readJson, readText} from '../../source/host/files/read-text.ts';
import {execute} from '../_helpers/lab/programs.ts';

let folder = '';

beforeAll(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-read-'));
	mkdirSync(path.join(folder, 'inner'));
	execFileSync('mkfifo', [path.join(folder, 'pipe')]);
	writeFileSync(path.join(folder, 'text'), 'é\n');
	writeFileSync(path.join(folder, 'empty'), '');
	writeFileSync(path.join(folder, 'json'), '{"a": [1]}');
	writeFileSync(path.join(folder, 'cut.json'), '{"a": [1');
});

afterAll(() => rmSync(folder, {recursive: true}));

describe('a file that may not be there', () => {
	it.each([
		['text', 'é\n'],
		['empty', ''],
		['missing', undefined],
		['text/below', undefined],
		['inner', undefined],
		// Nobody writes into it: reading would wait for ever.
		['pipe', undefined],
	])('%s is read as %j', (name, text) => {
		expect(readText(path.join(folder, name))).toBe(text);
	});

	it.each([
		['json', {a: [1]}],
		['cut.json', undefined],
		['empty', undefined],
		['missing', undefined],
	])('%s is JSON for %j', (name, value) => {
		expect(readJson(path.join(folder, name))).toEqual(value);
	});

	it('is a folder with these names, or with none', () => {
		const names = ['cut.json', 'empty', 'inner', 'json', 'pipe', 'text'];
		expect([...listFolder(folder)].sort()).toEqual(names);
		expect(listFolder(path.join(folder, 'missing'))).toEqual([]);
		expect(listFolder(path.join(folder, 'text'))).toEqual([]);
	});

	it('is not taken for absent where no more files may be opened', async () => {
		const script = path.join(folder, 'read.mjs');
		const source = new URL('../../source/host/files/read-text.ts', import.meta.url).pathname;
		const contents = `
			import {execFileSync} from 'node:child_process';
			import process from 'node:process';
			import {listFolder, readJson, readText} from ${JSON.stringify(source)};
			execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=3:']);
			for (const read of [readText, readJson, listFolder]) {
				try {
					process.stdout.write(JSON.stringify(read(process.argv[2])) + '\\n');
				} catch (error) {
					process.stdout.write(error.message + '; ' + error.hint + '\\n');
				}
			}`;
		await build({
			...{stdin: {contents, resolveDir: folder}, outfile: script},
			...{bundle: true, platform: 'node', format: 'esm'},
		});
		const {stdout} = await execute([process.execPath, script, '/etc/passwd']);
		const message =
			'/etc/passwd: too many open files; Raise the limit on open files (ulimit -n), and try again\n';
		expect(stdout).toBe(message.repeat(3));
	});
});
