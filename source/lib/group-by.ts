/** Groups items by key. Groups are in the order of their first items. (Map.groupBy needs Node 21.) */
export function groupBy<T>(
	items: readonly T[],
	key: (item: T) => string,
): readonly (readonly T[])[] {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const group = groups.get(key(item));
		if (group) {
			group.push(item);
		} else {
			groups.set(key(item), [item]);
		}
	}

	return [...groups.values()];
}
