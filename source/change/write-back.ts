import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {canBeWrittenBack, LINE_BREAK} from '../ruleset/save-lines.ts';

/**
 * Why a rule among those that are to be restored, or deleted by a restore file, cannot be: the file would
 * say something else. Undefined where all can.
 */
export function findUnwritable(rules: readonly string[]): HostError | undefined {
	const rule = rules.find((line) => !canBeWrittenBack(line));
	return rule === undefined
		? undefined
		: new HostError(
				`A rule has a line break or bytes that are no text in it, and cannot be restored as it is: ${printable(rule.replaceAll(LINE_BREAK, '\\n'), 200)}`,
				'Nothing was changed. Replace it by one without, or remove it, and try again',
			);
}

/** @throws {HostError} where one cannot be; nothing was touched */
export function assertWritable(rules: readonly string[]): void {
	const error = findUnwritable(rules);
	if (error !== undefined) {
		throw error;
	}
}
