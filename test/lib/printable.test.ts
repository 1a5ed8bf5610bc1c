import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {printable} from '../../source/lib/printable.ts';
import {UNSAFE} from '../_helpers/samples/errors.ts';

/** Text of any UTF-16 code units, with plenty of those that do harm. */
const hostile = fc
	.array(
		fc.oneof(
			fc.integer({min: 0, max: 0xffff}).map((unit) => String.fromCharCode(unit)),
			fc.constantFrom('\u001B[2J', '\u009B31m', '\r', '\n', '\u202E', '\u2066', '\u200B', '\uFEFF'),
			fc.constantFrom('\u{E0041}', '\u00AD', '\u180E', '\uD83D', '\uDE00', '\u{1F600}', 'eth0'),
		),
		{maxLength: 60},
	)
	.map((parts) => parts.join(''));

describe('printable', () => {
	it('lets nothing through that a terminal acts on or does not show', () => {
		fc.assert(
			fc.property(hostile, (text) => {
				expect(printable(text, 1000)).not.toMatch(UNSAFE);
			}),
			{numRuns: 2000},
		);
	});

	it('is never longer than the limit, and cuts no character in two', () => {
		fc.assert(
			fc.property(hostile, fc.integer({min: 3, max: 90}), (text, limit) => {
				const shown = printable(text, limit);
				expect(shown.length).toBeLessThanOrEqual(limit);
				expect(shown).not.toMatch(UNSAFE);
			}),
			{numRuns: 2000},
		);
	});

	it('leaves ordinary text of any script as it is', () => {
		for (const text of ['22/tcp from 10.0.0.0/8', 'Größe', 'порт', '端口', 'שרת', '😀', '']) {
			expect(printable(text)).toBe(text);
		}
	});

	it('replaces each harmful character by one question mark', () => {
		expect(printable('a\u001B[31mb')).toBe('a?[31mb');
		expect(printable('a\u202Eb\u0000c\u007F\u0085')).toBe('a?b?c??');
		expect(printable('a\uD800b')).toBe('a?b');
		expect(printable('a\uFFFEb\uFDD0c\u{1FFFF}')).toBe('a?b?c?');
	});

	it('cuts at 80 characters unless told otherwise', () => {
		expect(printable('x'.repeat(80))).toBe('x'.repeat(80));
		expect(printable('x'.repeat(81))).toBe(`${'x'.repeat(77)}...`);
		expect(printable('x'.repeat(81), 10)).toBe('xxxxxxx...');
	});
});
