import {lstatSync, readlinkSync, type Stats} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {HostError} from '../../lib/errors.ts';
import {isRehearsal, userOnMachine} from '../rehearsal/is-rehearsal.ts';

/** How many links a path may go through, as in Linux (path_resolution(7)). */
const MAX_LINKS = 40;

/** What is wrong with what only root may write, by its owner and mode. */
export function writersFault({uid, mode}: Stats): string | undefined {
	if (uid !== process.geteuid?.()) {
		return 'is not owned by root';
	}

	return (mode & 0o022) === 0 ? undefined : 'can be written by others than root';
}

/** A file or folder that others than root could have made or replaced, and what is wrong with it. */
type Untrusted = {readonly file: string; readonly fault: string};

/**
 * Whether others than root could write what is found under a path: the file itself, each folder above
 * it up to /, and the same for what links on the way lead to. In a sticky folder others cannot remove
 * or rename what is not theirs (inode(7)): one of root's is no fault above a file, only in its place.
 * What is run or believed as root is tried by this first.
 * @param file absolute
 * @returns the first fault; undefined also where there is no such file
 */
export function findUntrusted(file: string): Untrusted | undefined {
	let at = '/';
	let rest = file.split('/');
	for (let links = 0; links <= MAX_LINKS; ) {
		const found = lstatSync(at, {throwIfNoEntry: false});
		const isLast = rest.length === 0;
		const fault = found && (isLast ? writersFault(found) : faultAbove(found));
		if (found === undefined || fault !== undefined) {
			return fault === undefined ? undefined : {file: at, fault};
		}

		const [name = '', ...after] = rest;
		if (isLast) {
			return undefined;
		}

		const next = path.join(at, name);
		if (lstatSync(next, {throwIfNoEntry: false})?.isSymbolicLink()) {
			const target = readlinkSync(next);
			links += 1;
			rest = [...target.split('/'), ...after];
			at = target.startsWith('/') ? '/' : at;
		} else {
			rest = after;
			at = next;
		}
	}

	return {file, fault: 'leads through too many links'};
}

/** The fault of a folder above. In a rehearsal the kernel does not tell who owns what is not the user's. */
function faultAbove(found: Stats): string | undefined {
	const {uid, mode} = found;
	const isRoots =
		[0, process.geteuid?.()].includes(uid) || (isRehearsal() && userOnMachine(uid) === undefined);
	if (!isRoots) {
		return 'is not owned by root';
	}

	return (mode & 0o022) === 0 || (mode & 0o1000) !== 0
		? undefined
		: 'can be written by others than root';
}

/**
 * Refuses to run or believe what others than root could have written.
 * @param file absolute
 * @throws {HostError}
 */
export function assertTrusted(file: string): void {
	const untrusted = findUntrusted(file);
	if (untrusted !== undefined) {
		const {file: culprit, fault} = untrusted;
		throw new HostError(
			`${culprit} ${fault}`,
			`${file} is not run or believed. If that is a mistake: chown root: ${culprit} && chmod go-w ${culprit}`,
		);
	}
}

/**
 * Refuses a folder of ours that others could have filled, or that a link puts elsewhere: what lies
 * in it is believed, and run, as root. One that is not there is well.
 * @throws {HostError}
 */
export function assertPrivate(folder: string): void {
	assertPrivateInside(folder);
	assertTrusted(folder);
}

/** The same for a folder inside of one that is known to be private: none above it is looked at. @throws {HostError} */
export function assertPrivateInside(folder: string): void {
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
