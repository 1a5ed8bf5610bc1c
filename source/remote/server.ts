import {InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';

/** What users, names and addresses are made of. ssh(1) refuses the characters of a shell itself since 9.6. */
const SERVER = /^(?:ssh:\/\/)?[\w.@:%+\\/[\]~-]+$/;

/**
 * A machine as ssh(1) is told of it: `web1`, `ann@web1`, `ssh://ann@web1:2222`. What begins with a minus would be
 * an option of ssh, also behind the user's name.
 * @throws {InputError}
 */
export function parseServer(text: string): string {
	if (text.length > 255 || !SERVER.test(text) || /(?:^|@|\/\/)-/.test(text)) {
		throw new InputError(
			`"${printable(text)}" is not a server`,
			'Write it as for ssh: --host SERVER, --host USER@SERVER or --host ssh://USER@SERVER:PORT',
		);
	}

	return text;
}

/** What the person types to log in there. */
export function loginCommand(server: string): string {
	return `ssh ${quoteIfNeeded(server)}`;
}
