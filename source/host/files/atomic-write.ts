import {
	chmodSync,
	chownSync,
	closeSync,
	fsyncSync,
	lstatSync,
	openSync,
	readSync,
	renameSync,
	rmSync,
	type Stats,
	writeSync,
} from 'node:fs';
import process from 'node:process';
import {HostError} from '../../lib/errors.ts';

/**
 * Writes a file under another name, syncs it and renames it. A reader finds the whole old file or the
 * whole new file, also after a power cut. A symbolic link of that name is replaced and not followed. On
 * a disk that is nearly full, write(2) writes a part and reports success: the call is repeated until
 * everything is written or an error tells why it is not.
 * @param mode as in chmod(1), whatever the umask
 * @throws {Error} of the system call that failed; the old file stays, and no other file is left
 */
export function writeWhole(file: string, text: string, mode: number): void {
	// Importing node:crypto would load OpenSSL at every start, also where nothing is written.
	const beside = `${file}.${crypto.getRandomValues(new BigUint64Array(1))[0]}`;
	const bytes = Buffer.from(text);
	// O_EXCL: the file must be new, and so is not one that somebody else has put there.
	const descriptor = openSync(beside, 'wx', 0o600);
	try {
		try {
			for (let done = 0; done < bytes.length; ) {
				done += writeSync(descriptor, bytes, done, bytes.length - done, done);
			}

			fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
		}

		chownSync(beside, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
		chmodSync(beside, mode);
		renameSync(beside, file);
	} catch (error) {
		rmSync(beside, {force: true});
		throw error;
	}
}

/**
 * Reads a file or a pipe that the user names, which may have no end.
 * @param limit the highest number of bytes
 * @throws {Error} of the system call that failed, or where there are more bytes
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

/** What is wrong with the owner and mode of a file that only root should be able to write. */
export function writersFault({uid, mode}: Stats): string | undefined {
	if (uid !== process.geteuid?.()) {
		return 'is not owned by root';
	}

	return (mode & 0o022) === 0 ? undefined : 'can be written by others than root';
}

/**
 * Refuses a folder of this program that other users could have filled, or that a link leads elsewhere:
 * root trusts the files in it, and runs some of them. A folder that does not exist is fine.
 * @throws {HostError}
 */
export function assertPrivate(folder: string): void {
	const found = lstatSync(folder, {throwIfNoEntry: false});
	const fault =
		found && (found.isDirectory() ? writersFault(found) : 'is something else than a folder');
	if (fault !== undefined) {
		throw new HostError(
			`${folder} ${fault}`,
			`Nothing in it is believed. Remove it; or if it is yours: chown -hR root: ${folder} && chmod -R go-w ${folder}`,
		);
	}
}
