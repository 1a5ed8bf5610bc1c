import {
	closeSync,
	existsSync,
	fchmodSync,
	fchownSync,
	fsyncSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	rmSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/**
 * Writes a file of ours beside its place, synced, and renames it: whoever reads it, also after a
 * power cut, finds the old one or the new one, whole. A symbolic link in its place is replaced, not
 * followed. On a disk that is nearly full write(2) takes a part and calls that a success: it is
 * asked until it has taken everything, or says why it does not.
 * @param mode as chmod(1) has it, whatever the umask
 * @throws {Error} of the system call that fails; the old file stays, and nothing beside it
 */
export function writeWhole(file: string, text: string | Uint8Array, mode: number): void {
	// Node's own crypto, imported, would load OpenSSL's whole interface also where nothing is written.
	const beside = `${file}.${crypto.getRandomValues(new BigUint64Array(1))[0]}`;
	const bytes = Buffer.from(text);
	// Made by us (O_EXCL): not what somebody has put there.
	const descriptor = openSync(beside, 'wx', 0o600);
	try {
		try {
			for (let done = 0; done < bytes.length; ) {
				done += writeSync(descriptor, bytes, done, bytes.length - done, done);
			}

			// Not by its name: in a folder of another user, a link could stand there by now.
			fchownSync(descriptor, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
			fchmodSync(descriptor, mode);
			fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
		}

		renameSync(beside, file);
	} catch (error) {
		rmSync(beside, {force: true});
		throw error;
	}
}

/** Removes what `writeWhole` has left beside a file in a program that was killed. */
export function removeLeftovers(file: string): void {
	const [folder, start] = [path.dirname(file), `${path.basename(file)}.`];
	const names = existsSync(folder) ? readdirSync(folder) : [];
	for (const name of names.filter((name) => name.startsWith(start))) {
		if (/^\d+$/.test(name.slice(start.length))) {
			rmSync(path.join(folder, name), {force: true});
		}
	}
}

/**
 * Makes the names in a folder last, which a power cut may take back otherwise. Not every file system can
 * do that for a folder (fsync(2), EINVAL).
 * @throws {Error} of the system call that fails
 */
export function syncFolder(folder: string): void {
	const descriptor = openSync(folder, 'r');
	try {
		fsyncSync(descriptor);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EINVAL') {
			throw error;
		}
	} finally {
		closeSync(descriptor);
	}
}

/**
 * Reads what a user names: a file, or a pipe, but not without end.
 * @throws {Error} of the system call that fails, or with more than so many bytes
 */
export function readAtMost(file: string, limit: number): string {
	const descriptor = openSync(file, 'r');
	const parts: Buffer[] = [];
	try {
		for (let size = 0; size <= limit; ) {
			const part = Buffer.alloc(65_536);
			const count = readSync(descriptor, part);
			if (count === 0) {
				return Buffer.concat(parts).toString('utf8');
			}

			parts.push(part.subarray(0, count));
			size += count;
		}
	} finally {
		closeSync(descriptor);
	}

	throw new Error(`${file} has more than ${limit / 1e6} MB`);
}
