/**
 * Which items of a list are visible. Where items are hidden, a line less is left for them, since
 * that line says how many they are.
 * @param height the lines of the list on the screen
 * @param offset the first item wanted, or with `around` the one wanted in the middle
 * @returns the index of the first visible item, and the index after the last
 */
export function windowOf(
	count: number,
	height: number,
	offset: number,
	around: boolean,
): {readonly first: number; readonly last: number} {
	if (count <= height) {
		return {first: 0, last: count};
	}

	// At the beginning and at the end of the list, one line counts the hidden items; between them
	// there are two.
	const atEnd = Math.max(1, height - 1);
	const between = Math.max(1, height - 2);
	const wanted = around ? offset - Math.floor((between - 1) / 2) : offset;
	if (wanted <= 0) {
		return {first: 0, last: atEnd};
	}

	if (wanted + atEnd >= count) {
		return {first: count - atEnd, last: count};
	}

	return {first: wanted, last: wanted + between};
}

/**
 * The highest offset of a text that scrolls, and the lines of a page. A page leaves out no line.
 */
export function scrollSteps(lines: number, height: number): {last: number; page: number} {
	return {
		last: lines <= height ? 0 : lines - Math.max(1, height - 1),
		page: Math.max(1, height - 2),
	};
}
