import fc from 'fast-check';
import {renderToString, Text} from 'ink';
import {describe, expect, test} from 'vitest';
import {Scroll} from '../../source/ui/components/scroll.tsx';
import {scrollSteps, windowOf} from '../../source/ui/text/scroll-window.ts';

const lists = fc.record({
	count: fc.nat(60),
	height: fc.integer({min: 1, max: 40}),
	offset: fc.nat(80),
	around: fc.boolean(),
});

describe('Scroll', () => {
	test('fits its height, in order, and counts what it leaves out', () => {
		fc.assert(
			fc.property(lists, ({count, height, offset, around}) => {
				const lines = show(count, height, offset, around);
				expect(lines.length).toBeLessThanOrEqual(height);
				const items = itemsOf(lines);
				const first = items[0] ?? 0;
				expect(items).toEqual(items.map((_, index) => first + index));
				const hidden = lines.flatMap((line) => Number(/(\d+) more/.exec(line)?.[1] ?? 0));
				const said = hidden.reduce((sum, more) => sum + more, 0);
				// On a single line there is no room to say it.
				expect(said).toBe(height === 1 && count > 1 ? 0 : count - items.length);
				if (height > 2) {
					expect(lines[0]?.endsWith('more above') ?? false).toBe(first > 0);
					expect(lines.at(-1)?.endsWith('more below') ?? false).toBe(first + items.length < count);
				}
			}),
		);
	});

	test('shows all where all fits', () => {
		fc.assert(
			fc.property(lists, ({count, height, offset, around}) => {
				fc.pre(count <= height);
				expect(itemsOf(show(count, height, offset, around))).toHaveLength(count);
			}),
		);
	});

	test('always has the item in view that it is to be around', () => {
		fc.assert(
			fc.property(lists, ({count, height, offset}) => {
				fc.pre(offset < count);
				expect(itemsOf(show(count, height, offset, true))).toContain(offset);
			}),
		);
	});
});

describe('scrolling', () => {
	const texts = fc.record({lines: fc.nat(200), height: fc.integer({min: 1, max: 40})});

	test('by pages shows every line, the last included', () => {
		fc.assert(
			fc.property(texts, ({lines, height}) => {
				const {last, page} = scrollSteps(lines, height);
				const seen = new Set<number>();
				for (let offset = 0; offset < last + page; offset += page) {
					const shown = windowOf(lines, height, Math.min(offset, last), false);
					for (let line = shown.first; line < shown.last; line++) {
						seen.add(line);
					}
				}

				expect(seen.size).toBe(lines);
			}),
		);
	});

	test('by lines passes over none, and each step moves', () => {
		fc.assert(
			fc.property(texts, ({lines, height}) => {
				let before = windowOf(lines, height, 0, false);
				for (let offset = 1; offset <= scrollSteps(lines, height).last; offset++) {
					const shown = windowOf(lines, height, offset, false);
					expect(shown.first).toBe(offset);
					expect(shown.first).toBeLessThanOrEqual(before.last);
					before = shown;
				}

				expect(before.last).toBe(lines);
			}),
		);
	});
});

function show(count: number, height: number, offset: number, around: boolean): readonly string[] {
	const text = renderToString(
		<Scroll
			items={Array.from({length: count}, (_, index) => `item ${index}`)}
			height={height}
			offset={offset}
			around={around}
			render={(item) => <Text>{item}</Text>}
		/>,
	);
	return text === '' ? [] : text.split('\n');
}

function itemsOf(lines: readonly string[]): readonly number[] {
	return lines.flatMap((line) => /^item (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}
