import {describe, expect, test} from 'vitest';
import {parseShell} from '../../source/lib/parse-shell.ts';
import {UNKNOWN} from '../../source/lib/shell-words.ts';

const wordsOf = (text: string, parameters: readonly string[] = []) =>
	parseShell(text, parameters).commands.map(({words}) => words.join(' ').replaceAll(UNKNOWN, '?'));

describe('a shell script as text', () => {
	test.each([
		['quotes', `a 'b c' "d e" f\\ g ''`, ['a b c d e f g ']],
		['comments and empty lines', '# a\n\na # b\n  #c\nd#e', ['a', 'd#e']],
		['continued lines', 'a \\\n\tb\nc', ['a b', 'c']],
		['lists and pipes', 'a;b && c || d | e & f', ['a', 'b', 'c', 'd', 'e', 'f']],
		['redirections', 'a >/dev/null 2>&1 b <c >>d &>e', ['a b']],
		['variables that it sets', 'I="/sbin/x -w"\n$I -F "$I"', ['/sbin/x -w -F /sbin/x -w']],
		['variables that it does not set', '$I -F $1 "\u0024{2:-x}" $(id)', ['id', '? -F ? ? ?']],
		['a variable that is set by a command', 'A=b\nA=$(c)\n$A', ['c', '?']],
		[
			'conditions',
			'if [ -x a ]; then b; elif c; then d; else e; fi; f',
			'[ -x a ],b,c,d,e,f'.split(','),
		],
		[
			'loops',
			'for i in 1 2; do a $i; done\nwhile read -r b; do c; done',
			'a ?,read -r b,c'.split(','),
		],
		['a loop over programs', 'for i in a b; do $i $i; done', ['a ?']],
		['patterns and lists', 'a eth* "b*" p{1,2} {} e[0-9]', ['a eth? b* p?1,2} {} e?0-9]']],
		['a function', 'f() {\n\ta\n}\nfunction g { b; }\nf', ['a', 'b', 'f']],
	])('%s', (_, text, words) => {
		expect(wordsOf(text)).toEqual(words);
	});

	test('has only the branch of case that its parameter chooses', () => {
		const text = 'case "$1" in\nstart|up) a ;;\nstop) b\n;;\n*) c ;;\nesac\nd';
		expect(wordsOf(text, ['start'])).toEqual(['a', 'd']);
		expect(wordsOf(text, ['up'])).toEqual(['a', 'd']);
		expect(wordsOf(text, ['stop'])).toEqual(['b', 'd']);
		expect(wordsOf(text, ['restart'])).toEqual(['c', 'd']);
		expect(wordsOf(text)).toEqual(['a', 'b', 'c', 'd']);
	});

	test('has the lines that its commands stand on, and the text that they read', () => {
		const text = 'a <<E\nb $X\nE\nc <<-\'F\' -n\n\td $X\n\tF\ncat e | f\n"g\nh"\ni <j';
		expect(parseShell(text).commands).toEqual([
			{line: 1, words: ['a'], input: {text: `b ${UNKNOWN}\n`}},
			{line: 4, words: ['c', '-n'], input: {text: 'd $X\n'}},
			{line: 7, words: ['cat', 'e']},
			{line: 7, words: ['f'], input: {from: 2}},
			{line: 8, words: ['g\nh']},
			{line: 10, words: ['i'], input: {file: 'j'}},
		]);
	});

	test('names the function that a command stands in', () => {
		const {commands} = parseShell('f() { a; { b; }; }\nf\ng() ( c )');
		expect(commands.map(({words, within}) => [words[0], within])).toEqual([
			['a', 'f'],
			['b', 'f'],
			['f', undefined],
			['c', undefined],
		]);
	});

	test.each([
		['a; b\nPATH=/bin; c && d || true', true],
		['if a; then b; fi', false],
		['a & b', false],
		['for i in 1; do a; done', false],
		['a $(b)', false],
		['(a)', false],
		['f() { a; }', false],
	])('is a plain sequence or not: %s', (text, plain) => {
		expect(parseShell(text).plain).toBe(plain);
	});
});
