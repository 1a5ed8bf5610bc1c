import process from 'node:process';
import {CommanderError} from 'commander';
import {commandLine} from '../lib/command-line.ts';
import {describeError, type ErrorCode, explainError, HostError, InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import {printable} from '../lib/printable.ts';

const ISSUES = 'https://github.com/fw-wizard/fw-wizard/issues';

/** What is printed of an error: what is wrong, what to do, and its kind. */
type Failure = {
	readonly message: string;
	readonly advice: string;
	readonly code: ErrorCode;
	readonly exitCode: number;
};

/**
 * Prints on standard error what is wrong and what to do, a line each. With DEBUG in the environment
 * the stack comes first. A program that has asked for JSON gets the same on standard output.
 * @param thrown anything
 * @param words what the user typed behind the program's name
 * @returns the exit code
 */
export function printFailure(thrown: unknown, words: readonly string[]): number {
	if (thrown instanceof CommanderError && thrown.exitCode === 0) {
		return 0;
	}

	if (process.env.DEBUG) {
		process.stderr.write(`${thrown instanceof Error ? thrown.stack : thrown}\n`);
	}

	const {exitCode, ...failure} = describeFailure(explainError(thrown), words[0] ?? '');
	const [message, advice] = [printable(failure.message, 400), printable(failure.advice, 800)];
	if (wantsJson(words)) {
		process.stdout.write(printJson({error: {message, advice, code: failure.code}}));
	}

	process.stderr.write(`fw-wizard: ${message}\n${advice}\n`);
	return exitCode;
}

/** Whether `--json` or `--format json` is among the words, which may not have been parsed. */
function wantsJson(words: readonly string[]): boolean {
	const end = words.indexOf('--');
	const flags = end === -1 ? words : words.slice(0, end);
	return flags.some(
		(word, index) =>
			word === '--json' ||
			/^--format=json$/i.test(word) ||
			(word === '--format' && /^json$/i.test(flags[index + 1] ?? '')),
	);
}

function describeFailure(error: unknown, name: string): Failure {
	if (error instanceof CommanderError) {
		return describeUsage(error, name);
	}

	if (error instanceof InputError) {
		return {message: error.message, advice: error.hint, code: 'usage', exitCode: 2};
	}

	if (error instanceof HostError) {
		const {message, hint, code, exitCode} = error;
		return {message, advice: hint, code, exitCode};
	}

	return {
		message: `an unexpected error: ${describeError(error)}`,
		advice: `Run it again with DEBUG=1 in the environment, and report what it prints: ${ISSUES}`,
		code: 'unexpected',
		exitCode: 3,
	};
}

/** @param name of the command, which is known to exist unless the error says otherwise */
function describeUsage({code, message}: CommanderError, name: string): Failure {
	// What follows the error is commander's own; before it an argument may stand that has any characters.
	const [, what = message, choices, similar] =
		/^error: (.*?)(?:\. Allowed choices are (.*)\.|\n\((Did you mean .*)\))?$/s.exec(message) ?? [];
	const isCommand = code !== 'commander.unknownCommand' && /^[a-z]/.test(name);
	return {
		message:
			code === 'commander.excessArguments'
				? 'There is a word too many'
				: what.replace(
						/^command-argument value ('.*') is invalid for argument '(.*)'$/s,
						'$1 is no $2',
					),
		advice:
			(choices === undefined ? similar : `Choose one of: ${choices}`) ??
			`See: ${commandLine(isCommand ? `help ${name}` : '--help')}`,
		code: 'usage',
		exitCode: 2,
	};
}
