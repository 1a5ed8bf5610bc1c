/** Networks that do not touch, as many as wanted: of three in a row two are of IPv4. */
export function manySources(count: number): readonly string[] {
	return Array.from({length: count}, (_, index) =>
		index % 3 === 2
			? `2a00:${index.toString(16)}::/32`
			: `${20 + Math.floor(index / 100)}.${2 * (index % 100)}.7.0/24`,
	);
}
