import type {ChildProcess} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {HostError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import {SYSTEM_PATH} from './find-program.ts';

/**
 * Starts a process, whatever stands in the way: nothing is thrown, and no 'error' event is left
 * without a listener, which would end this program. The streams of the process must not be touched
 * before this has answered: Node makes none where the limit on open files is reached.
 * @param start calls spawn(3) of Node; it throws by itself where memory is short (ENOMEM) or where
 * the arguments are too long (E2BIG)
 * @returns the running process, or in one line why it could not be started
 */
export async function startProcess<Child extends ChildProcess>(
	file: string,
	start: () => Child,
): Promise<Child | string> {
	let child: Child;
	try {
		child = start();
	} catch (error) {
		return describeStartError(file, error);
	}

	// Both events come in the next tick, before anything can be read from the process.
	const failure = await new Promise<string | undefined>((resolve) => {
		child.once('spawn', () => resolve(undefined));
		// This listener stays: a signal that cannot be sent raises an 'error' too, and is of no interest.
		child.on('error', (error) => resolve(describeStartError(file, error)));
	});
	return failure ?? child;
}

/** The same. @throws {HostError} where it could not be started */
export async function startOrThrow<Child extends ChildProcess>(
	file: string,
	start: () => Child,
): Promise<Child> {
	const child = await startProcess(file, start);
	if (typeof child === 'string') {
		throw new HostError(child, NOT_STARTED_HINT);
	}

	return child;
}

/** What to do where a program could not be started; the message says why. */
export const NOT_STARTED_HINT = 'Remove what stands in its way, and try again';

/** The refusals of fork(2), execve(2) and socketpair(2) that an administrator can do something about. */
const REASONS: Readonly<Record<string, string>> = {
	EMFILE: 'fw-wizard has too many files open (see ulimit -n)',
	ENFILE: 'the machine has too many files open (see sysctl fs.file-max)',
	EAGAIN: 'too many processes run (see ulimit -u, and pids.max of the control group)',
	ENOMEM: 'there is not enough memory',
	E2BIG: 'its arguments are too long',
	EACCES: 'it may not be executed (see its permissions, and whether the file system is noexec)',
	EPERM: 'it may not be executed (see its permissions, and whether the file system is noexec)',
	ENOENT: 'its file, or the interpreter that the file names, is missing',
};

/** In one line, safe to print, why a program could not be started. */
function describeStartError(file: string, error: unknown): string {
	const {code = '', message} = error as NodeJS.ErrnoException;
	const reason = REASONS[code] ?? printable(message, 120);
	return `${printable(path.basename(file))} could not be started: ${reason}`;
}

/**
 * The environment of a program that is run for its answer: the C locale, and nothing of the user's
 * but what iptables (XTABLES_LOCKFILE) and programs with a configuration of their own (HOME) need.
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
	const {XTABLES_LOCKFILE, HOME} = process.env;
	return {
		PATH: SYSTEM_PATH.join(':'),
		LC_ALL: 'C',
		...(HOME === undefined ? {} : {HOME}),
		...(XTABLES_LOCKFILE === undefined ? {} : {XTABLES_LOCKFILE}),
	};
}
