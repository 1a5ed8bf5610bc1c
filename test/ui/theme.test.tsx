import fc from 'fast-check';
import {describe, expect, test, vi} from 'vitest';

/** The module as a terminal with this environment loads it. */
async function load(environment: Readonly<Record<string, string>>) {
	vi.resetModules();
	for (const name of ['LC_ALL', 'LC_CTYPE', 'LANG', 'TERM']) {
		vi.stubEnv(name, environment[name]);
	}

	const [{glyphs, glyphsFor}, {truncate}] = await Promise.all([
		import('../../source/ui/theme.ts'),
		import('../../source/ui/text/truncate.ts'),
	]);
	vi.unstubAllEnvs();
	return {glyphs, glyphsFor, truncate};
}

const UTF8 = {LANG: 'en_US.UTF-8', TERM: 'xterm-256color'};
const ASCII = {LANG: 'C', TERM: 'xterm-256color'};
/** Columns of characters beside ASCII: composed, a combining accent, half width, full width. */
const WIDTHS: Readonly<Record<string, number>> = {é: 1, '\u0301': 0, ｱ: 1, '–': 1, 世: 2, '😀': 2};

describe('glyphs', () => {
	test.each([
		[UTF8, true],
		[{LANG: 'C.utf8'}, true],
		[{LANG: 'C', LC_CTYPE: 'C.UTF-8'}, true],
		[{LANG: 'en_US.UTF-8', LC_ALL: 'C'}, false],
		[{LANG: 'en_US.UTF-8', LC_ALL: ''}, true],
		[{LANG: 'en_US.ISO-8859-1'}, false],
		[{LANG: 'en_US.UTF-8', TERM: 'linux'}, false],
		[{}, false],
		[{...UTF8, INK_SCREEN_READER: 'true'}, false],
	])('with %j: more than ASCII is %s', async (environment, unicode) => {
		const {glyphsFor} = await load(ASCII);
		const signs = Object.values(glyphsFor(environment)).join('');
		expect(/^[ -~]+$/.test(signs)).toBe(!unicode);
	});
});

describe.each([
	['UTF-8', UTF8, '…', 'abcd…ghij'],
	['ASCII', ASCII, '...', 'abcd...ij'],
])('truncate, %s', (_, environment, sign, withoutMiddle) => {
	test('leaves what fits and shows which end was cut', async () => {
		const {truncate} = await load(environment);
		expect(truncate('abcdefghij', 10)).toBe('abcdefghij');
		const room = 9 - sign.length;
		expect(truncate('abcdefghij', 9)).toBe('abcdefghij'.slice(0, room) + sign);
		expect(truncate('abcdefghij', 9, 'start')).toBe(sign + 'abcdefghij'.slice(-room));
		expect(truncate('abcdefghij', 9, 'middle')).toBe(withoutMiddle);
	});

	test('is never wider than asked, and as wide as it can be', async () => {
		const {truncate} = await load(environment);
		const widthOf = (text: string) => [...text].reduce((sum, one) => sum + (WIDTHS[one] ?? 1), 0);
		fc.assert(
			fc.property(
				fc.string({unit: fc.constantFrom('a', 'Z', '0', ' ', ...Object.keys(WIDTHS))}),
				fc.integer({min: 0, max: 30}),
				fc.constantFrom('start', 'middle', 'end'),
				(text, columns, where) => {
					const result = truncate(text, columns, where);
					expect(widthOf(result)).toBeLessThanOrEqual(columns);
					expect(result === text).toBe(widthOf(text) <= columns);
					if (/^[ -~]*$/.test(text)) {
						expect(widthOf(result)).toBe(Math.min(columns, text.length));
					}
				},
			),
		);
	});
});
