import {randomInt} from 'node:crypto';
import {
	chmodSync,
	chownSync,
	closeSync,
	fsyncSync,
	openSync,
	renameSync,
	rmSync,
	writeSync,
} from 'node:fs';
import process from 'node:process';

/**
 * Writes a file of ours beside its place, synced, and renames it: whoever reads it, also after a
 * power cut, finds the old one or the new one, whole. A symbolic link in its place is replaced, not
 * followed. On a disk that is nearly full write(2) takes a part and calls that a success: it is
 * asked until it has taken everything, or says why it does not.
 * @param mode as chmod(1) has it, whatever the umask
 * @throws {Error} of the system call that fails; the old file stays, and nothing beside it
 */
export function writeWhole(file: string, text: string, mode: number): void {
	const beside = `${file}.${randomInt(2 ** 47)}`;
	const bytes = Buffer.from(text);
	// Made by us (O_EXCL): not what somebody has put there.
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
