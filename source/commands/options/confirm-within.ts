import {CONFIRM_SECONDS} from '../../change/confirm-time.ts';
import {InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';

/** The seconds that a change waits for its confirmation. @throws {InputError} */
export function parseSeconds(text: string | undefined): number {
	const {usual, least, most} = CONFIRM_SECONDS;
	const seconds = Number(text ?? usual);
	if (!Number.isInteger(seconds) || seconds < least || seconds > most) {
		throw new InputError(
			`"${printable(text ?? '')}" is not a time to confirm`,
			`Write seconds, from ${least} to ${most}`,
		);
	}

	return seconds;
}
