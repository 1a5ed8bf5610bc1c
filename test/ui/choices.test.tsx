import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {cleanup, render} from 'ink-testing-library';
import {type ReactElement, useState} from 'react';
import {afterEach, expect, test} from 'vitest';
import {Choices} from '../../source/ui/components/choices.tsx';

afterEach(cleanup);

const [UP, DOWN, HOME, END] = ['\u001B[A', '\u001B[B', '\u001B[H', '\u001B[F'] as const;
const [PAGE_UP, PAGE_DOWN] = ['\u001B[5~', '\u001B[6~'] as const;
const THREE = ['one', 'two', 'three'];

type Props = {
	readonly labels: readonly string[];
	readonly pages: boolean;
	readonly onChoose: (index: number) => void;
};

function List({labels, pages, onChoose}: Props): ReactElement {
	const [focus, setFocus] = useState(0);
	return (
		<Choices labels={labels} focus={focus} onFocus={setFocus} onChoose={onChoose} pages={pages} />
	);
}

/** What Enter chooses after each of the keys. */
async function chosen(labels: readonly string[], keys: readonly string[], pages = false) {
	const choices: number[] = [];
	const {stdin} = render(
		<List labels={labels} pages={pages} onChoose={(index) => choices.push(index)} />,
	);
	for (const key of keys.flatMap((key) => [key, '\r'])) {
		await yieldToEventLoop();
		stdin.write(key);
		await yieldToEventLoop();
		await yieldToEventLoop();
	}

	return choices;
}

test('Enter chooses what has the focus, which goes round, and to both ends', async () => {
	expect(await chosen(THREE, [DOWN, DOWN, DOWN, UP, HOME, END, 'j', 'k'])).toEqual([
		...[1, 2, 0, 2, 0, 2, 0, 2],
	]);
	expect(await chosen(THREE, [PAGE_DOWN, PAGE_UP])).toEqual([2, 0]);
});

test('a text below the list has the pages to itself', async () => {
	expect(await chosen(THREE, [PAGE_DOWN, DOWN], true)).toEqual([0, 1]);
});

test('no key does anything in an empty list', async () => {
	expect(await chosen([], [DOWN, END, UP])).toEqual([]);
});
