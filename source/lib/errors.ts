import {printable} from './printable.ts';

/** The kind of a failure, for programs that read the errors of `--json`. */
export type ErrorCode =
	/** Wrong flags, words or files of the user. */
	| 'usage'
	| 'not-root'
	| 'no-iptables'
	/** Another fw-wizard is changing the firewall. */
	| 'busy'
	| 'disk-full'
	/** A system call on a file failed for another reason. */
	| 'file'
	/** A check, a proof, a confirmation or an undo could not be done. */
	| 'failed'
	| 'not-possible'
	| 'rolled-back'
	/** An error that nobody foresaw. */
	| 'unexpected';

/**
 * The user's input cannot be used. `message` says in one line what is wrong, `hint` says in one
 * line what to write instead. Both are safe to print.
 */
export class InputError extends Error {
	override readonly name = 'InputError';

	constructor(
		message: string,
		readonly hint: string,
	) {
		super(message);
	}
}

/**
 * Something cannot be done on this machine, or has failed. `message` says in one line what happened,
 * `hint` says in one line what to do. Both must be safe to print.
 */
export class HostError extends Error {
	override readonly name: string = 'HostError';
	/** 1: a difference was found. 3: not possible here. 4: the change was rolled back. */
	readonly exitCode: 1 | 3 | 4;
	readonly code: ErrorCode;

	constructor(
		message: string,
		readonly hint: string,
		exitCode: 1 | 3 | 4 = 3,
		code: ErrorCode = CODES[exitCode],
	) {
		super(message);
		this.exitCode = exitCode;
		this.code = code;
	}
}

const CODES = {1: 'failed', 3: 'not-possible', 4: 'rolled-back'} as const;

/** For `catch`: an error of the machine is an answer. @throws any other error */
export function asHostError(error: unknown): HostError {
	if (error instanceof HostError) {
		return error;
	}

	throw error;
}

/** What Node says of these errors is no plain English. */
const WORDS: Readonly<Record<string, string>> = {
	EISDIR: 'it is a folder, not a file',
	EIO: 'the disk reports an error',
	EPERM: 'permission denied',
};

const HINTS: Readonly<Record<string, string>> = {
	ENOENT: 'Check the path, and try again',
	ENOTDIR: 'Check the path, and try again',
	EISDIR: 'Give the path of a file',
	EACCES: 'Run the command as root, or change the permissions',
	EPERM: 'Run the command as root, or change the permissions',
	ENOSPC: 'Make room on that disk, and try again',
	EDQUOT: 'Make room on that disk, and try again',
	EROFS: 'Make it writable, and try again',
	EMFILE: 'Raise the limit on open files (ulimit -n), and try again',
	ENFILE: 'Raise the limit on open files (sysctl fs.file-max), and try again',
};

/**
 * The error of a system call (errno(3)) in words for the user. Any other error is returned as it is.
 * @param file the file to name, where the error names no file or a temporary one
 */
export function explainError(error: unknown, file?: string): unknown {
	if (!(error instanceof Error) || error instanceof HostError) {
		return error;
	}

	const {code = '', message, syscall, ...rest} = error as NodeJS.ErrnoException;
	const path = file ?? rest.path;
	if (syscall === undefined || (path === undefined && HINTS[code] === undefined)) {
		return error;
	}

	// "ENOSPC: no space left on device, write"
	const words = WORDS[code] ?? /^\w+: (.*?), \w+/.exec(message)?.[1] ?? message;
	return new HostError(
		printable(path === undefined ? `A file cannot be written: ${words}` : `${path}: ${words}`, 300),
		HINTS[code] ?? 'Check that the file can be used, and try again',
		3,
		code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'file',
	);
}

/** Errors of connect(2), bind(2) and send(2). */
const NETWORK: Readonly<Record<string, string>> = {
	EADDRINUSE: 'the address is in use',
	EADDRNOTAVAIL: 'the address is not available',
	ECONNREFUSED: 'the connection was refused',
	ECONNRESET: 'the connection was reset',
	EHOSTUNREACH: 'the host cannot be reached',
	ENETUNREACH: 'the network cannot be reached',
	ETIMEDOUT: 'no answer in time',
};

/**
 * What went wrong, in one line that is safe to print, without the names of error numbers.
 * @param file the file to name, where the error is one of a system call on a file
 */
export function describeError(thrown: unknown, file?: string): string {
	const {code = '', address} = Object(thrown) as {code?: string; address?: string};
	if (NETWORK[code] !== undefined) {
		return printable(address === undefined ? NETWORK[code] : `${address}: ${NETWORK[code]}`, 300);
	}

	const error = explainError(thrown, file);
	return printable(error instanceof Error ? error.message : `${error}`, 300);
}
