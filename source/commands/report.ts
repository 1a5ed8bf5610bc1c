import process from 'node:process';
import {CommanderError} from 'commander';
import {explainError, HostError, InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';

const USAGE = 'See: fw-wizard --help';

/**
 * Prints on standard error what went wrong and what to do, a line each. With DEBUG in the environment
 * the stack comes first.
 * @param thrown anything
 * @returns the exit code
 */
export function report(thrown: unknown): number {
	if (process.env.DEBUG) {
		process.stderr.write(`${thrown instanceof Error ? thrown.stack : thrown}\n`);
	}

	const error = explainError(thrown);

	if (error instanceof CommanderError) {
		return error.exitCode === 0 ? 0 : reportUsage(error);
	}

	if (error instanceof InputError) {
		return fail(error.message, error.hint, 2);
	}

	if (error instanceof HostError) {
		return fail(error.message, error.hint, error.exitCode);
	}

	return fail(
		`fw-wizard failed: ${error instanceof Error ? error.message : error}`,
		'Set DEBUG=1 to see where; please report it',
		3,
	);
}

function reportUsage({code, message}: CommanderError): number {
	// What follows the error is commander's own; before it an argument may stand that has any characters.
	const [, what = message, choices, similar] =
		/^error: (.*?)(?:\. (Allowed choices are .*)\.|\n\((Did you mean .*)\))?$/s.exec(message) ?? [];
	return fail(
		code === 'commander.excessArguments' ? 'There is a word too many' : what,
		choices ?? similar ?? USAGE,
		2,
	);
}

function fail(message: string, hint: string, exitCode: number): number {
	process.stderr.write(`${printable(message, 400)}\n${printable(hint, 800)}\n`);
	return exitCode;
}
