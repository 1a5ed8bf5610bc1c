import {type Command, Option} from 'commander';
import {CONFIRM_SECONDS} from '../../change/confirm-time.ts';
import {InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import {BOOT_CHOICES, type BootChoice} from '../../persistence/init-system.ts';
import {wordOption} from './words.ts';

/** The flags of a change, as commander gives them. */
export type ConfirmationFlags = {
	/** Seconds. */
	readonly confirmWithin?: number;
	readonly boot?: BootChoice;
	/** False with --no-rehearsal. */
	readonly rehearsal?: boolean;
};

/** Adds the flags that say how long a change waits for its confirmation, and what loads the rules at boot. */
export function withConfirmationOptions(command: Command): Command {
	return command
		.addOption(
			new Option(
				'--confirm-within <seconds>',
				'roll back unless confirmed in this time (default 60)',
			).argParser(parseSeconds),
		)
		.addOption(wordOption('--boot <way>', 'what loads the rules at boot', BOOT_CHOICES))
		.option('--no-rehearsal', 'load the rules without a trial in an isolated copy');
}

/** The seconds that a change waits for its confirmation. @throws {InputError} */
function parseSeconds(text: string): number {
	const {least, most} = CONFIRM_SECONDS;
	const seconds = Number(text);
	if (!Number.isInteger(seconds) || seconds < least || seconds > most) {
		throw new InputError(
			`"${printable(text)}" is not a time to confirm`,
			`Write seconds, from ${least} to ${most}`,
		);
	}

	return seconds;
}
