import {InputError} from '../lib/errors.ts';
import {joinWords} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {type Opening, printOpening} from '../policy/opening.ts';
import {type AccessPort, openingFor, printAccessPort} from './lockout.ts';

/** That a user could not connect again, as a clause without a full stop. @param client their address */
export function describeLockout(
	lockouts: readonly AccessPort[],
	client: string | undefined,
): string {
	const ports = joinWords(lockouts.map(printAccessPort));
	return `These rules block ${ports}, through which you${client === undefined ? '' : ` (${printable(client)})`} are connected`;
}

/** `22/tcp is closed`, `22/tcp and 2222/tcp are closed` */
export function describeClosed(lockouts: readonly AccessPort[]): string {
	return `${joinWords(lockouts.map(printAccessPort))} ${lockouts.length === 1 ? 'is' : 'are'} closed`;
}

/**
 * The error where rules that would lock the user out are to be confirmed at once, with the flags that
 * prevent it.
 * @param imported openings that no flag has named. They must be named with the new ones, since nothing
 *   is imported where a flag names an opening.
 */
export function lockoutError(
	lockouts: readonly AccessPort[],
	client: string | undefined,
	imported: readonly Opening[] = [],
): InputError {
	const flags = [...imported, ...lockouts.map(openingFor)].map(
		(opening) => `--open ${quoteIfNeeded(printOpening(opening))}`,
	);
	return new InputError(
		describeLockout(lockouts, client),
		`Add ${flags.join(' ')}, or try it with --confirm-within 60`,
	);
}
