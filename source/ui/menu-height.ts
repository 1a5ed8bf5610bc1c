/** The fewest lines of the text, below which the choices are scrolled as well. */
const LEAST_TEXT = 2;

/** Of the lines of the screen, those above so many choices. */
export function menuHeight(height: number, choices: number): number {
	return Math.max(1, height - choicesHeight(height, choices));
}

/** How many of the choices are in view at a time, a line each. */
export function choicesHeight(height: number, choices: number): number {
	return Math.min(choices, Math.max(1, height - LEAST_TEXT));
}
