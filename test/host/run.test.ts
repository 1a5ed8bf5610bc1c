import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {run} from '../../source/host/exec/run.ts';

/** Keeps all else waiting, in milliseconds, as a program with much to do keeps itself. */
function beBusy(time: number): void {
	const end = performance.now() + time;
	while (performance.now() < end) {}
}

describe('a program that is run', () => {
	test('gives what it printed and its status', async () => {
		expect(await run('sh', ['-c', 'echo out; echo err >&2; cat; exit 3'], {input: 'in\n'})).toEqual(
			{status: 3, stdout: 'out\nin\n', stderr: 'err\n'},
		);
	});

	test('can open its standard input by name, as nft(8) and conntrack(8) do', async () => {
		const folder = mkdtempSync('/tmp/fww-test-');
		const script = path.join(folder, 'nft');
		writeFileSync(script, '#!/bin/sh\ncat /dev/stdin\nexit 3\n', {mode: 0o755});
		for (const words of [[script], ['env', script]]) {
			const [program = '', ...args] = words;
			const {status, stdout} = await run(program, args, {input: 'in\n'});
			expect({status, stdout}).toEqual({status: 3, stdout: 'in\n'});
		}

		rmSync(folder, {recursive: true});
	});

	test('is in time when it has ended in time, however late that is looked at', async () => {
		const running = run('seq', ['1', '9000'], {timeout: 100});
		beBusy(400);
		const {status, stdout, stderr} = await running;
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		expect(stdout).toHaveLength(43_893);
	});

	test('has no status when it took too long, also with all that it has started', async () => {
		// Whatever were left of it would hold the output open for longer than this test may take.
		const script = 'trap "" TERM; sleep 1000 & sleep 1000; exit 0';
		const {status, stderr} = await run('sh', ['-c', script], {timeout: 100});
		expect({status, stderr}).toEqual({status: undefined, stderr: 'sh took too long'});
	});

	test('has no status when a part of its output would be lost, though it ends well', async () => {
		// What it has started holds its output open.
		const {status, stdout, stderr} = await run('sh', ['-c', 'sleep 1000 & echo done'], {
			timeout: 200,
		});
		expect({status, stderr}).toEqual({status: undefined, stderr: 'sh took too long'});
		expect(stdout).toBe('done\n');
	});
});
