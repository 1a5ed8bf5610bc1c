import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {cleanup, render} from 'ink-testing-library';
import {afterEach, expect, test} from 'vitest';
import {Choices} from '../../source/ui/components/choices.tsx';

afterEach(cleanup);

/** What was chosen by Enter, with so many choices. */
async function chosen(labels: readonly string[], ...keys: readonly string[]) {
	const choices: number[] = [];
	const {stdin} = render(
		<Choices
			labels={labels}
			focus={0}
			onFocus={() => {}}
			onChoose={(index) => choices.push(index)}
		/>,
	);
	for (const key of keys) {
		await yieldToEventLoop();
		stdin.write(key);
	}

	await yieldToEventLoop();
	return choices;
}

test('Enter chooses what has the focus, and no key does anything in an empty list', async () => {
	expect(await chosen(['one', 'two'], '\u001B[B', '\r')).toEqual([1]);
	expect(await chosen([], '\r', '\u001B[B', '\r')).toEqual([]);
});
