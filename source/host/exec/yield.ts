import {setImmediate as immediate} from 'node:timers/promises';

/** How long work may keep everything else waiting at a time, in milliseconds: the next key, a frame. */
const TURN = 8;

let last: Promise<unknown> = Promise.resolve();

/** Lets everything else have its turn. Of those who wait here one goes on at a time. */
export async function yieldToEventLoop(): Promise<void> {
	last = last.then(async () => immediate());
	await last;
}

/** Does the same with each item, and gives way as often as it takes too long. */
export async function forEachYielding<Item>(
	items: Iterable<Item>,
	use: (item: Item) => void,
): Promise<void> {
	await yieldToEventLoop();
	let begin = performance.now();
	for (const item of items) {
		use(item);
		if (performance.now() - begin > TURN) {
			await yieldToEventLoop();
			begin = performance.now();
		}
	}
}
