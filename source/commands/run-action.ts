import process from 'node:process';
import type {Command} from 'commander';
import {CONFIG_DIR, STATE_DIR} from '../change/paths.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';

/** Gives a command its action, and perhaps something to do before that which a rehearsal must not do. */
export type Act = (
	command: Command,
	/** Gets the flags and the one argument. @returns the exit code */
	action: (flags: never, word: never) => Promise<number>,
	before?: () => Promise<void>,
) => Command;

/**
 * The flags of a command. Before its name only --rehearse may stand, and --no-color, which does no
 * harm: other flags there are those of the wizard, and without them the command could open or close
 * something else than the user meant.
 * @throws {InputError} where another flag stands before the name
 */
export function flagsOf(called: Command, root: Command): {readonly rehearse?: boolean} {
	const {rehearse, color: _, ...others} = called === root ? {} : root.opts();
	const misplaced = root.options.find((option) => {
		const value = others[option.attributeName()];
		return value !== undefined && option.negate === (value === false);
	});
	if (misplaced) {
		throw new InputError(
			`${misplaced.long} stands before the command`,
			`Write it after the command: ${commandLine(`${called.name()} ${misplaced.long}`)}`,
		);
	}

	return rehearse ? {...called.opts(), rehearse: true} : called.opts();
}

/**
 * Runs an action here, or with --rehearse in a private copy of the machine.
 * @param before runs on the real machine in both cases
 * @returns the exit code
 */
export async function rehearsed(
	flags: {readonly rehearse?: boolean},
	action: () => Promise<number>,
	before?: () => Promise<void>,
): Promise<number> {
	if (isRehearsal()) {
		const {prepareRehearsal} = await import('../host/rehearsal/start.ts');
		await prepareRehearsal([CONFIG_DIR, STATE_DIR]);
		return action();
	}

	await before?.();
	if (flags.rehearse) {
		const {startRehearsal} = await import('../host/rehearsal/start.ts');
		return startRehearsal();
	}

	return action();
}

/** Prints a text. @returns the exit code 0 */
export function print(text: string): number {
	process.stdout.write(text);
	return 0;
}
