import {mkdirSync} from 'node:fs';

/**
 * Makes a folder, and those above it.
 * @throws {Error} of the system call. On a read-only file system Node says of `recursive` that there is no such folder.
 */
export function makeFolder(folder: string, mode: number): void {
	try {
		mkdirSync(folder, {recursive: true, mode});
	} catch (error) {
		mkdirSync(folder, {mode});
		throw error;
	}
}
