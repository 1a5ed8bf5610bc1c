import {setImmediate as immediate} from 'node:timers/promises';

/**
 * Milliseconds for which long work may block the event loop at a time: a key and a frame wait for
 * it.
 */
const TURN = 8;

let last: Promise<unknown> = Promise.resolve();

/**
 * Lets other work of the event loop run first. Of several callers that wait here, one continues per
 * turn.
 */
export async function yieldToEventLoop(): Promise<void> {
	last = last.then(async () => immediate());
	await last;
}

/**
 * Calls a function with each item, and yields to the event loop whenever that has blocked it for
 * too long.
 */
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
