import fc from 'fast-check';
import {describe, expect, test, vi} from 'vitest';
import {PALETTE} from '../../source/ui/theme.ts';

/** The module as a terminal with this environment loads it. */
async function load(environment: Readonly<Record<string, string>>) {
	vi.resetModules();
	for (const name of ['LC_ALL', 'LC_CTYPE', 'LANG', 'TERM', 'FORCE_COLOR']) {
		vi.stubEnv(name, environment[name]);
	}

	const [{glyphs, glyphsFor, paint, styleOf}, {truncate}] = await Promise.all([
		import('../../source/ui/theme.ts'),
		import('../../source/ui/text/truncate.ts'),
	]);
	vi.unstubAllEnvs();
	return {glyphs, glyphsFor, paint, styleOf, truncate};
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

/** Luminances (WCAG 2) of what people have behind their text: white, two of Solarized, #1e1e1e, black. */
const BACKGROUNDS = [1, 0.92, 0.021, 0.013, 0];

describe('colours', () => {
	test.each(Object.entries(PALETTE))('%s can be read on light and dark', (_, index) => {
		const level = (step: number) => (step === 0 ? 0 : (55 + 40 * step) / 255);
		const linear = (value: number) =>
			value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
		const [red, green, blue] = [36, 6, 1].map((unit) =>
			linear(level(Math.floor((index - 16) / unit) % 6)),
		) as [number, number, number];
		const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
		for (const ground of BACKGROUNDS) {
			const [low, high] = [ground, luminance].sort((a, b) => a - b) as [number, number];
			expect((high + 0.05) / (low + 0.05)).toBeGreaterThanOrEqual(3);
		}
	});

	test.each([
		['1', '\u001B[33mtext\u001B[0m', 'yellow'],
		['2', '\u001B[38;5;136mtext\u001B[0m', 'ansi256(136)'],
	])('FORCE_COLOR=%s: the first frame and Ink draw the same', async (level, painted, color) => {
		const {paint, styleOf} = await load({...UTF8, FORCE_COLOR: level});
		expect(paint('text', 'attention')).toBe(painted);
		expect(styleOf('attention')).toEqual({color});
		expect(styleOf('muted')).toEqual({dimColor: true});
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
