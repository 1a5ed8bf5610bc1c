/** Which items are shown: those that fit, less a line where something is cut off. */
export function windowOf(
	count: number,
	height: number,
	offset: number,
	around: boolean,
): {readonly first: number; readonly last: number} {
	if (count <= height) {
		return {first: 0, last: count};
	}

	// At either end one line says what is cut off, in between two.
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

/** How far a text of so many lines scrolls, and how many lines a page is: none is passed over. */
export function scrollSteps(lines: number, height: number): {last: number; page: number} {
	return {
		last: lines <= height ? 0 : lines - Math.max(1, height - 1),
		page: Math.max(1, height - 2),
	};
}
