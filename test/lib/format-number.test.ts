import {expect, test} from 'vitest';
import {countOf, formatNumber} from '../../source/lib/format-number.ts';

test.each([
	[0, '0'],
	[999, '999'],
	[9999, '9999'],
	[10_000, '10,000'],
	[524_280, '524,280'],
	[1_234_567, '1,234,567'],
	[-12_345, '-12,345'],
])('%i is written as %s', (count, text) => {
	expect(formatNumber(count)).toBe(text);
});

test('a count has its word, for one and for many', () => {
	expect(countOf(1, 'port')).toBe('1 port');
	expect(countOf(65_530, 'port')).toBe('65,530 ports');
	expect(countOf(2, 'opening that ends', 'openings that end')).toBe('2 openings that end');
});
