/**
 * A count for a person: `9999`, `10,000`, `524,280`. Not for ports, and not for what a program reads.
 * @param count a whole number
 */
export function formatNumber(count: number): string {
	return Math.abs(count) < 10_000
		? String(count)
		: String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 port`, `12,000 ports`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
	return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
