/** What was measured, in milliseconds, and what it may be at most. */
export type Figure = {
	readonly name: string;
	readonly value: string;
	/** Absent: only told, no promise. */
	readonly limit?: string;
	readonly kept?: boolean;
};

export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

/** The value that the given part of all does not exceed. */
export function quantile(values: readonly number[], part: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export function milliseconds(value: number): string {
	return `${value.toFixed(1)} ms`;
}
