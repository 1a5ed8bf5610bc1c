import {existsSync, lstatSync, rmSync, statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {run} from '../host/exec/run.ts';
import {yieldToEventLoop} from '../host/exec/yield.ts';
import {removeLeftovers, syncFolder, writeWhole} from '../host/files/atomic-write.ts';
import {makeFolder} from '../host/files/make-folder.ts';
import {readText} from '../host/files/read-text.ts';
import {explainError} from '../lib/errors.ts';
import {settled} from '../lib/settled.ts';

/** A file that confirming a change writes. The mode is that of chmod(1). */
export type PlannedFile = {readonly text: string; readonly mode: number};

/** A program with its arguments. */
export type Command = readonly [program: string, ...args: readonly string[]];

/** What confirming a change does beyond the running rules, so that the next boot loads the same. */
export type FilePlan = {
	/** By their absolute paths; null: the file is removed. */
	readonly files: Readonly<Record<string, PlannedFile | null>>;
	/**
	 * Commands before and after the files are written. A command that fails stops nothing: `check`
	 * finds it.
	 */
	readonly before: readonly Command[];
	readonly after: readonly Command[];
};

/** The files as they are now, for an undo to restore. */
export function readPlannedFiles(paths: readonly string[]): FilePlan['files'] {
	return Object.fromEntries(
		paths.map((file) => {
			const found = statSync(file, {throwIfNoEntry: false});
			// A masked unit is a link to /dev/null: there is no file to put back.
			const text = found?.isFile() ? readText(file) : undefined;
			return [
				file,
				found === undefined || text === undefined ? null : {text, mode: found.mode & 0o7777},
			];
		}),
	);
}

/**
 * Writes files (each beside, synced, renamed) or removes them, and runs the commands. May be done
 * twice: a file that is as it should be stays.
 * @throws {HostError} when a file cannot be written; those before it are
 */
export async function applyFilePlan({before, files, after}: FilePlan): Promise<void> {
	await runAll(before);
	for (const [file, content] of Object.entries(files)) {
		removeLeftovers(file);
		if (content === null) {
			rmSync(file, {force: true});
		} else if (!isThere(file, content)) {
			write(file, content);
		}
	}

	// While the first command runs.
	await settled([runAll(after), yieldToEventLoop().then(() => syncFolders(Object.keys(files)))]);
}

/** Syncs the folders: a change that was reported as saved must survive a power cut, names included. */
function syncFolders(files: readonly string[]): void {
	const folders = files.map((file) => path.dirname(file)).filter((folder) => existsSync(folder));
	// A folder that was made for the file has a name, too.
	for (const folder of new Set(folders.flatMap((one) => [one, path.dirname(one)]))) {
		syncFolder(folder);
	}
}

/** Whether a file is as it should be: a plain one of this user with this text and mode. */
export function isThere(file: string, {text, mode}: PlannedFile): boolean {
	const found = lstatSync(file, {throwIfNoEntry: false});
	return (
		found?.isFile() === true &&
		(found.mode & 0o7777) === mode &&
		found.uid === process.geteuid?.() &&
		found.gid === process.getegid?.() &&
		readText(file) === text
	);
}

function write(file: string, {text, mode}: PlannedFile): void {
	try {
		makeFolder(path.dirname(file), 0o755);
	} catch (error) {
		throw explainError(error, file);
	}

	try {
		writeWhole(file, text, mode);
	} catch {
		// Two processes may write for one change: one may then remove the temporary file of the other.
		try {
			writeWhole(file, text, mode);
		} catch (error) {
			throw explainError(error, file);
		}
	}
}

/** Runs commands in turn. One that waits for nothing itself (--no-block) is not waited for until the last has ended. */
async function runAll(commands: readonly Command[]): Promise<void> {
	const running: Array<Promise<unknown>> = [];
	for (const [program, ...args] of commands) {
		running.push(run(program, args, {timeout: 30_000}));
		await (args.includes('--no-block') ? undefined : running.at(-1));
	}

	await Promise.all(running);
}
