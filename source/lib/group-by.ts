/** Items that belong together: one at least. */
export type Group<T> = readonly [T, ...(readonly T[])];

/** Groups items by key. Groups are in the order of their first items. (Map.groupBy needs Node 21.) */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyArray<Group<T>> {
	const groups = new Map<string, [T, ...T[]]>();
	for (const item of items) {
		const name = key(item);
		const group = groups.get(name);
		if (group) {
			group.push(item);
		} else {
			groups.set(name, [item]);
		}
	}

	return [...groups.values()];
}
