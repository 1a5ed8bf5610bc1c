import process from 'node:process';
import {HostError} from '../../lib/errors.ts';
import {findProgram} from './find-program.ts';
import {runAttached} from './run-attached.ts';
import {selfCommand} from './self.ts';

/** The program with which an ordinary user becomes root. */
export type Elevation = 'sudo' | 'su';

/** The result of starting this program again as root. */
export type Elevated =
	/** It ran, and ended with this exit code. */
	| {readonly started: true; readonly exitCode: number}
	/** It never ran; the message says why, and the hint what to do. */
	| {readonly started: false; readonly message: string; readonly hint: string};

/**
 * Variables that the screen depends on and that root would lack: sudo(8) passes on little more than
 * TERM.
 */
const VARIABLES = [
	'TERM',
	'COLORTERM',
	'LANG',
	'LC_ALL',
	'LC_CTYPE',
	'NO_COLOR',
	'FORCE_COLOR',
	'INK_SCREEN_READER',
	'DEBUG',
];

const UNREADABLE = 98;
/** The statuses with which a POSIX shell ends where it could not start a program. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/**
 * A script that root runs. It first tests whether root can read this program ($1, the script or the
 * binary): root cannot read a home on NFS with root_squash, nor a file system in user space. The words
 * behind $1 start the program. It changes to / first, since Node does not start in a folder that root
 * may not enter.
 */
const LAUNCHER = `cd /; test -r "$1" || exit ${UNREADABLE}; shift; exec "$@"`;

/** The error where only root may continue, with the command to run as root. */
export function rootRequired(command: string): HostError {
	return new HostError('Only root can change the firewall', `Run: sudo ${command}`);
}

/** The program that makes root of this user: sudo, or su where sudo is missing. */
export function findElevation(): Elevation | undefined {
	return (['sudo', 'su'] as const).find((name) => findProgram(name) !== undefined);
}

/**
 * Starts this program again as root, on this terminal. sudo and su ask for a password there, so the
 * terminal must be as it was before Ink changed it. Node and the script are named by absolute paths,
 * since nvm and npx keep them in folders that are not in root's PATH.
 */
export async function runElevated(how: Elevation, args: readonly string[]): Promise<Elevated> {
	const self = selfCommand();
	const file = self.at(-1) ?? process.execPath;
	const variables = VARIABLES.flatMap((name) =>
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
		const {message} = error as Error;
		return {started: false, message, hint};
	}
}

function wordsFor(how: Elevation, words: readonly string[]): readonly string[] {
	return how === 'sudo'
		? ['--', '/bin/sh', '-c', LAUNCHER, 'sh', ...words]
		: // -s: root's own shell may be none that reads this.
			['-s', '/bin/sh', '-c', LAUNCHER, '--', 'root', 'sh', ...words];
}

/**
 * Why the program did not run as root; undefined where it ran. Status 1 is that of sudo and su after a
 * wrong password: the wizard itself never ends with it.
 */
function describeFailure(how: Elevation, status: number, file: string): string | undefined {
	switch (status) {
		case 1:
			return `${how} did not let you in: a wrong password, or you may not use it`;
		case UNREADABLE:
			return `Root may not read ${file}: it is gone, or on a file system that shuts out root`;
		case NOT_EXECUTABLE:
		case NOT_FOUND:
			return `Root could not start ${process.execPath}, or ${how} may start nothing (noexec)`;
		default:
			return undefined;
	}
}
