import {execFileSync} from 'node:child_process';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {cksum} from '../../source/lib/cksum.ts';

test('prints what cksum(1) prints, for any text', () => {
	const text = fc.oneof(
		fc.string({unit: 'binary', maxLength: 50}),
		fc.nat(70_000).map((length) => 'fw-wizard '.repeat(length).slice(0, length)),
	);
	fc.assert(
		fc.property(text, (input) => {
			expect(`${cksum(input)}\n`).toBe(execFileSync('cksum', {input, encoding: 'utf8'}));
		}),
		{numRuns: 30, examples: [[''], ['\n'], ['\0'], ['a'.repeat(256)], ['a'.repeat(65_536)]]},
	);
});
