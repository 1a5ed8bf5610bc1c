import {lstatSync} from 'node:fs';
import type {FilePlan} from '../change/boot-files.ts';
import {readText} from '../host/files/read-text.ts';
import {writersFault} from '../host/files/trust.ts';

/** Accepts any content: only the owner and the permissions of the file are checked. */
export function asItIs(file: string, mode: number): FilePlan['files'] {
	return {[file]: {text: readText(file) ?? '', mode}};
}

/** The fault of the first file that differs from what confirming the policy wrote. */
export function findFileFault(files: FilePlan['files']): string | undefined {
	for (const [file, wanted] of Object.entries(files)) {
		const fault = faultOf(file, wanted);
		if (fault !== undefined) {
			return `${file} ${fault}`;
		}
	}

	return undefined;
}

function faultOf(file: string, wanted: FilePlan['files'][string]): string | undefined {
	const found = lstatSync(file, {throwIfNoEntry: false});
	const text = readText(file);
	if (found === undefined || text === undefined) {
		return wanted == null ? undefined : 'is missing or cannot be read';
	}

	if (wanted == null) {
		return 'should not be there';
	}

	if (!found.isFile()) {
		return 'is not a plain file';
	}

	const fault = writersFault(found);
	if (fault !== undefined) {
		return fault;
	}

	// Whoever can read a file can lock it (flock(2)), and keep others waiting.
	if ((found.mode & 0o044 & ~wanted.mode) !== 0) {
		return 'can be read by others than root';
	}

	if ((wanted.mode & 0o100) !== 0 && (found.mode & 0o100) === 0) {
		return 'is not executable';
	}

	if (text !== wanted.text) {
		return text.trim() === '' ? 'is empty' : 'was changed';
	}

	return undefined;
}
