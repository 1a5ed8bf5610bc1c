import process from 'node:process';
import type {Command} from 'commander';
import {CONFIG_DIR, STATE_DIR} from '../change/paths.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {InputError} from '../lib/errors.ts';

/**
 * The flags of a command. Of those before its name only --rehearse counts (--no-color does no harm):
 * the others would belong to the wizard, and to pass over them could open or shut something else than was meant.
 */
export function flagsOf(called: Command, root: Command): {readonly rehearse?: boolean} {
	const {rehearse, color: _, ...others} = called === root ? {} : root.opts();
	const [misplaced] = Object.keys(others);
	if (misplaced !== undefined) {
		throw new InputError(
			`--${misplaced} stands before the command`,
			`Write it behind: fw-wizard ${called.name()} --${misplaced}`,
		);
	}

	return rehearse ? {...called.opts(), rehearse: true} : called.opts();
}

/** Runs an action here, or with --rehearse in a private copy of the machine; `first` always here. */
export async function rehearsed(
	flags: {readonly rehearse?: boolean},
	action: () => Promise<number>,
	first: () => Promise<void>,
): Promise<number> {
	if (isRehearsal()) {
		const {prepareRehearsal} = await import('../host/rehearsal/start.ts');
		await prepareRehearsal([CONFIG_DIR, STATE_DIR]);
		return action();
	}

	await first();
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
