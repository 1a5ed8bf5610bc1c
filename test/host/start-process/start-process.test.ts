import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {build} from 'esbuild';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {runDetached} from '../../../source/host/exec/background.ts';
import {ask, run, runToEnd} from '../../../source/host/exec/run.ts';
import {runAttached} from '../../../source/host/exec/run-attached.ts';
import {execute} from '../../_helpers/lab/programs.ts';

/** A user that owns no other process, so that a limit on its processes counts these alone. */
const LONELY_USER = 54_321;

let folder = '';
let script = '';

beforeAll(async () => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'fww-start-'));
	chmodSync(folder, 0o755);
	script = path.join(folder, 'try.mjs');
	const entry = path.join(import.meta.dirname, 'try-under-limit.ts');
	await build({
		...{entryPoints: [entry], outfile: script},
		...{bundle: true, platform: 'node', format: 'esm'},
	});
});

afterAll(() => rmSync(folder, {recursive: true}));

async function underLimit(limit: string, before: readonly string[] = []): Promise<unknown> {
	const {status, stdout, stderr} = await execute([...before, process.execPath, script, limit]);
	expect({status, stderr}).toEqual({status: 0, stderr: ''});
	return JSON.parse(stdout);
}

/** What every way of starting a program says of one and the same reason. */
function allSay(reason: string) {
	const failure = (name: string) => `${name} could not be started: ${reason}`;
	return {
		run: {stdout: '', stderr: failure('cat'), failure: 'not started'},
		together: Array.from({length: 12}, () => failure('cat')),
		hold: {thrown: failure('env')},
		converse: {failure: failure('cat')},
		detached: failure('sh'),
		attached: {thrown: failure('true')},
	};
}

describe('a program that cannot be started ends nothing else', () => {
	it('where no file may be opened (EMFILE)', async () => {
		expect(await underLimit('--nofile=3:')).toEqual(
			allSay('fw-wizard has too many files open (see ulimit -n)'),
		);
	});

	it('where no process may be started (EAGAIN)', async () => {
		const other = ['setpriv', `--reuid=${LONELY_USER}`, '--clear-groups', '--'];
		expect(await underLimit('--nproc=1:', process.geteuid?.() === 0 ? other : [])).toEqual(
			allSay('too many processes run (see ulimit -u, and pids.max of the control group)'),
		);
	});

	it('and one that can is started as ever', async () => {
		expect(await underLimit('--nofile=200:')).toEqual({
			run: {status: 0, stdout: '', stderr: ''},
			together: Array.from({length: 12}, () => ''),
			hold: {pid: expect.any(Number)},
			converse: {line: 'hello'},
			detached: {pid: expect.any(Number)},
			attached: 0,
		});
	});

	it('where its arguments are too long (E2BIG)', async () => {
		const long = 'x'.repeat(3_000_000);
		const message = 'true could not be started: its arguments are too long';
		const failed = {status: undefined, stdout: '', stderr: message, failure: 'not started'};
		expect(await run('true', [long])).toEqual(failed);
		expect(await run('true', [], {input: long})).toEqual({status: 0, stdout: '', stderr: ''});
		expect(await runDetached('true', [long], 1000)).toBe(message);
		await expect(runAttached('true', [long])).rejects.toThrow(message);
		await expect(ask('true', [long])).rejects.toThrow(message);
	});

	it('where an argument is none (a zero in it)', async () => {
		const {failure, stderr} = await run('true', ['a\0b']);
		expect({failure, stderr}).toEqual({
			failure: 'not started',
			stderr: expect.stringMatching(/^true could not be started: .* without null bytes/),
		});
	});

	it.each([
		['may not be executed (EACCES)', 0o644, '', /^program could not be started: it may not/],
		[
			'names an interpreter that is missing (ENOENT)',
			0o755,
			'#!/nonexistent\n',
			/^program could not be started: its file, or the interpreter/,
		],
	])('where its file %s', async (_, mode, text, message) => {
		const file = path.join(folder, 'program');
		writeFileSync(file, text);
		chmodSync(file, mode);
		const {status, failure, stderr} = await run(file, []);
		expect({status, failure}).toEqual({status: undefined, failure: 'not started'});
		expect(stderr).toMatch(message);
		await expect(runToEnd(file, [])).rejects.toThrow(message);
	});
});

describe('the answer of a program', () => {
	it('is nothing where the program is not installed, or refuses', async () => {
		expect(await ask('fww-no-such-program', [])).toBe('');
		expect(await ask('sh', ['-c', 'echo half; exit 1'])).toBe('');
		expect(await ask('sh', ['-c', 'echo all'])).toBe('all\n');
	});

	it('is an error where it does not come', async () => {
		await expect(ask('sleep', ['60'], {timeout: 50})).rejects.toThrow(
			'sleep does not answer: sleep took too long',
		);
		await expect(ask('sh', ['-c', 'kill -9 $$'])).rejects.toThrow(
			'sh does not answer: sh was ended by SIGKILL',
		);
	});
});
