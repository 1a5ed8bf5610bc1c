import {printable} from './printable.ts';

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

	constructor(
		message: string,
		readonly hint: string,
		exitCode: 1 | 3 | 4 = 3,
	) {
		super(message);
		this.exitCode = exitCode;
	}
}

const HINTS: Readonly<Record<string, string>> = {
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
	const words = /^\w+: (.*?), \w+/.exec(message)?.[1] ?? message;
	return new HostError(
		printable(path === undefined ? `A file cannot be written: ${words}` : `${path}: ${words}`, 300),
		HINTS[code] ?? 'See whether it is there and may be used, and try again',
	);
}
