import {InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';

export const DEFAULT_SECONDS = 60;

/** How long a change waits for its confirmation. @throws {InputError} */
export function parseSeconds(text: string | undefined): number {
	const seconds = Number(text ?? DEFAULT_SECONDS);
	if (!Number.isInteger(seconds) || seconds < 10 || seconds > 3600) {
		throw new InputError(
			`"${printable(text ?? '')}" is not a time to confirm`,
			'Write seconds, from 10 to 3600',
		);
	}

	return seconds;
}
