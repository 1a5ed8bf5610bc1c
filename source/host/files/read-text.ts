import {closeSync, constants, fstatSync, openSync, readdirSync, readFileSync} from 'node:fs';
import {explainError} from '../../lib/errors.ts';
import {parseJson} from '../../lib/json.ts';

/**
 * Errors of open(2) and read(2) that say nothing about the file: this process or the machine has too
 * many files open, memory is short, or the disk is broken. To take such a file for absent could
 * overlook another firewall, or let an undo remove the file.
 */
const INCONCLUSIVE = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO']);

/**
 * Reads a text file in UTF-8.
 * @returns undefined where there is no such file, where this process may not read it, or where a
 * pipe, a folder or another thing without an end has its name
 * @throws {HostError} where neither can be told
 */
export function readText(file: string): string | undefined {
	return orUndefined(file, () => {
		// Otherwise open(2) waits for the writer of a named pipe (fifo(7)).
		const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
		try {
			return isEndless(descriptor) ? undefined : readFileSync(descriptor, 'utf8');
		} finally {
			closeSync(descriptor);
		}
	});
}

function isEndless(descriptor: number): boolean {
	const status = fstatSync(descriptor);
	return status.isFIFO() || status.isSocket() || status.isDirectory();
}

/**
 * The names in a folder, in no order; none where there is no such folder, or where this process may
 * not read it.
 * @throws {HostError} where neither can be told
 */
export function listFolder(folder: string): readonly string[] {
	return orUndefined(folder, () => readdirSync(folder)) ?? [];
}

function orUndefined<T>(file: string, read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (INCONCLUSIVE.has((error as NodeJS.ErrnoException).code ?? '')) {
			throw explainError(error, file);
		}

		return undefined;
	}
}

/**
 * Reads a file of JSON.
 * @returns undefined where `readText` gives none, and where the text is no JSON: a file that was
 * damaged, or not written to its end
 * @throws {HostError} as `readText`
 */
export function readJson(file: string): unknown {
	const text = readText(file);
	return text === undefined ? undefined : parseJson(text);
}
