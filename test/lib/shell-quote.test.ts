import {execFileSync} from 'node:child_process';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {quote, quoteIfNeeded} from '../../source/lib/shell-quote.ts';

/** What a shell makes of words: each as one argument again, read back between NUL characters. */
function readByShell(shell: string, words: readonly string[]): readonly string[] {
	const script = `printf '%s\\0' ${words.join(' ')}`;
	return execFileSync(shell, ['-c', script]).toString().split('\0').slice(0, -1);
}

describe.each(['sh', 'bash'])('in %s', (shell) => {
	it.each([
		['quote', quote],
		['quoteIfNeeded', quoteIfNeeded],
	])('%s gives every text back as it was', (_, print) => {
		const text = fc.oneof(
			fc.string({unit: fc.constantFrom(...'\'"\\$`!*?~#&|;<>(){}[]\n\t =a-')}),
			fc.string({unit: 'binary'}),
		);
		const texts = fc.sample(text, 200).map((one) => one.replaceAll('\0', ''));
		expect(readByShell(shell, texts.map(print))).toEqual(texts);
	});
});

describe('quoteIfNeeded', () => {
	it.each('--open 22/tcp 8000-8010/tcp 198.51.100.0/24 2001:db8::/32 sshd.service'.split(' '))(
		'leaves %s as it is',
		(word) => {
			expect(quoteIfNeeded(word)).toBe(word);
		},
	);

	it.each(['', '22/tcp from 10.0.0.0/8', "it's", '~', '$HOME', '=ls'])('quotes %j', (word) => {
		expect(quoteIfNeeded(word)).toBe(quote(word));
	});
});
