import process from 'node:process';
import {type Elevation, rootCommandLine} from '../../lib/command-line.ts';
import {describeError, HostError} from '../../lib/errors.ts';
import {findProgram} from './find-program.ts';
import {findElevation, LOGIN_VARIABLE, PROGRAM_VARIABLE} from './invocation.ts';
import {runAttached} from './run-attached.ts';
import {selfCommand} from './self.ts';

/** What came of starting this program again as root. */
export type Elevated =
	/** It ran, and ended with this exit code. */
	| {readonly started: true; readonly exitCode: number}
	/** It never ran: why, and what to do. */
	| {readonly started: false; readonly message: string; readonly hint: string};

/** What root's environment lacks and the screen depends on: sudo(8) passes on little more than TERM. */
export const PASSED_VARIABLES = [
	'TERM',
	'COLORTERM',
	'LANG',
	'LC_ALL',
	'LC_CTYPE',
	'NO_COLOR',
	'FORCE_COLOR',
	'INK_SCREEN_READER',
	'DEBUG',
	PROGRAM_VARIABLE,
	LOGIN_VARIABLE,
];

const UNREADABLE = 98;
/** Statuses by which a POSIX shell says that it could not start a program. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/**
 * Run by root: a home on NFS with root_squash, or a file system in user space, is nothing to root.
 * $1 is the script or the binary; the words behind it start the program. Elsewhere than in a folder that root may
 * not enter, where Node would not start.
 */
const LAUNCHER = `cd /; test -r "$1" || exit ${UNREADABLE}; shift; exec "$@"`;

/** The error where only root can continue. @param args of this program, in the command that root runs */
export function rootRequired(args: string): HostError {
	const command = rootCommandLine(args);
	const hint = findElevation() === undefined ? `As root, run: ${command}` : `Run: ${command}`;
	return new HostError('Only root can do this', hint, 3, 'not-root');
}

/**
 * Starts this program again as root, on this terminal, which must be as it was before Ink took it:
 * sudo and su ask for a password there. Both program and script are named by their whole paths,
 * since Node may be where root's PATH does not lead (nvm, npx).
 */
export async function runElevated(how: Elevation, args: readonly string[]): Promise<Elevated> {
	const self = selfCommand();
	const file = self.at(-1) ?? process.execPath;
	const variables = PASSED_VARIABLES.flatMap((name) =>
		process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`],
	);
	const hint = 'All your answers are still here';
	const words = [file, findProgram('env') ?? '/usr/bin/env', ...variables, ...self, ...args];
	try {
		const status = await runAttached(how, wordsFor(how, words));
		const message = describeFailure(how, status, file);
		return message === undefined
			? {started: true, exitCode: status}
			: {started: false, message, hint};
	} catch (error) {
		return {started: false, message: describeError(error), hint};
	}
}

function wordsFor(how: Elevation, words: readonly string[]): readonly string[] {
	return how === 'sudo'
		? ['--', '/bin/sh', '-c', LAUNCHER, 'sh', ...words]
		: // -s: root's own shell may be none that reads this.
			['-s', '/bin/sh', '-c', LAUNCHER, '--', 'root', 'sh', ...words];
}

/** The wizard itself never ends with 1; sudo and su do when they let nobody in. */
function describeFailure(how: Elevation, status: number, file: string): string | undefined {
	switch (status) {
		case 1:
			return `${how} refused: a wrong password, or you may not use it`;
		case UNREADABLE:
			return `Root may not read ${file}: it is gone, or on a file system that root may not read`;
		case NOT_EXECUTABLE:
		case NOT_FOUND:
			return `Root could not start ${process.execPath}, or ${how} may start nothing (noexec)`;
		default:
			return undefined;
	}
}
