/** Runs at most this many pieces of work at the same time; the others wait for their turn. */
export function takeTurns(
	atOnce: number,
): <Result>(work: () => Promise<Result>) => Promise<Result> {
	const waiting: Array<() => void> = [];
	let working = 0;
	return async (work) => {
		if (working === atOnce) {
			await new Promise<void>((resolve) => waiting.push(resolve));
		} else {
			working++;
		}

		try {
			return await work();
		} finally {
			const next = waiting.shift();
			if (next) {
				next();
			} else {
				working--;
			}
		}
	};
}
