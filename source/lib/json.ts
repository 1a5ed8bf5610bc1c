/** A value as what a command prints with `--json`, and as files of JSON have it. */
export function printJson(value: unknown): string {
	return `${JSON.stringify(value, undefined, '\t')}\n`;
}

/** @returns undefined where it is no JSON */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
