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
	return withTimeOption(command)
		.addOption(wordOption('--boot <way>', 'what loads the rules at boot', BOOT_CHOICES))
		.option(...NO_REHEARSAL);
}

/** Adds the flags of a command that changes some openings. */
export function withEditOptions(command: Command): Command {
	return withTimeOption(
		command
			.option('--full', 'try every port before it is applied, not only those that change')
			.option('--no-proof', 'apply it without sending packets first')
			.option(
				'--yes',
				'save the change at once, without a new login, also where it may end a session',
			),
	)
		.option(...NO_REHEARSAL)
		.option('--json', 'print the outcome as JSON');
}

const NO_REHEARSAL = [
	'--no-rehearsal',
	'load the rules without trying them in an isolated copy first',
] as const;

function withTimeOption(command: Command): Command {
	return command.addOption(
		new Option(
			'--confirm-within <seconds>',
			'restore the old rules unless confirmed in this time (default 60)',
		).argParser(parseSeconds),
	);
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
