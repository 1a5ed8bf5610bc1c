import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {sync as writeFileAtomic} from 'write-file-atomic';
import {run} from '../host/run.ts';

/** A file that keeping a change writes. Mode as chmod(1) has it. */
export type KeptFile = {readonly text: string; readonly mode: number};

/** A program with its arguments. */
export type Command = readonly [program: string, ...args: readonly string[]];

/** What keeping a change does beyond the running rules, so that the next boot loads the same. */
export type Keeping = {
	/** By their absolute paths; null: is not there. */
	readonly files: Readonly<Record<string, KeptFile | null>>;
	/** Run before the files are written, and after. That one fails changes nothing: a check finds it. */
	readonly before: readonly Command[];
	readonly after: readonly Command[];
};

/** The files as they are now, to be put back by an undo. */
export function readKeptFiles(paths: readonly string[]): Keeping['files'] {
	return Object.fromEntries(
		paths.map((file) => {
			try {
				const found = statSync(file);
				// A masked unit is a link to /dev/null: there is no file to put back.
				return [
					file,
					found.isFile() ? {text: readFileSync(file, 'utf8'), mode: found.mode & 0o7777} : null,
				];
			} catch {
				return [file, null];
			}
		}),
	);
}

/**
 * Writes files (each beside, synced, renamed) or removes them, and runs the commands. May be done
 * twice: a file that is as it should be stays.
 */
export async function carryOut({before, files, after}: Keeping): Promise<void> {
	await runAll(before);
	for (const [file, content] of Object.entries(files)) {
		removeLeftovers(file);
		if (content === null) {
			rmSync(file, {force: true});
		} else if (!isThere(file, content)) {
			write(file, content);
		}
	}

	await runAll(after);
}

/** A program that was killed while it wrote a file leaves it with a number behind its name. */
function removeLeftovers(file: string): void {
	const [folder, start] = [path.dirname(file), `${path.basename(file)}.`];
	const names = existsSync(folder) ? readdirSync(folder) : [];
	for (const name of names.filter((name) => name.startsWith(start))) {
		if (/^\d+$/.test(name.slice(start.length))) {
			rmSync(path.join(folder, name), {force: true});
		}
	}
}

function isThere(file: string, {text, mode}: KeptFile): boolean {
	const found = lstatSync(file, {throwIfNoEntry: false});
	return (
		found?.isFile() === true &&
		(found.mode & 0o7777) === mode &&
		found.uid === process.geteuid?.() &&
		found.gid === process.getegid?.() &&
		readFileSync(file, 'utf8') === text
	);
}

function write(file: string, {text, mode}: KeptFile): void {
	mkdirSync(path.dirname(file), {recursive: true, mode: 0o755});
	if (lstatSync(file, {throwIfNoEntry: false})?.isSymbolicLink()) {
		// It would be followed: of a masked unit to /dev/null, which must stay what it is.
		rmSync(file);
	}

	// Said in full: a file that was there before lends its owner and mode otherwise.
	const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
	const options = {mode, chown: {uid, gid}};
	try {
		writeFileAtomic(file, text, options);
	} catch {
		// Two may be at it, for one change: then one can take the other's work for a leftover.
		writeFileAtomic(file, text, options);
	}

	chmodSync(file, mode);
}

async function runAll(commands: readonly Command[]): Promise<void> {
	for (const [program, ...args] of commands) {
		await run(program, args, {timeout: 30_000});
	}
}
