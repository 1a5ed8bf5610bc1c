import {expect, test} from 'vitest';
import {joinSome, joinWords} from '../../source/lib/list.ts';

test('a list for a sentence', () => {
	expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(joinWords)).toEqual([
		...['', 'a', 'a and b', 'a, b and c'],
	]);
});

test('a list of which only the first are named', () => {
	expect(joinSome(['a', 'b'], 2)).toBe('a, b');
	expect(joinSome(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
	expect(
		joinSome(
			Array.from({length: 12_003}, (_, index) => String(index)),
			3,
		),
	).toBe('0, 1, 2 and 12,000 more');
});
