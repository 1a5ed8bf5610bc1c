import {type Stats, statSync} from 'node:fs';
import {printable} from '../../lib/printable.ts';
import {allProcesses, isStopped, openFilesOf, parentOf, titleOf} from '../sockets/processes.ts';
import {listFolder} from './read-text.ts';

/** The process on whose behalf a file is locked. The title is safe to print. */
export type LockHolder = {readonly pid: number; readonly title: string; readonly stopped: boolean};

/**
 * The process that has a lock file locked: the one that has started flock(1), which keeps the file
 * open as well as the program that it runs.
 * @returns undefined where that process cannot be seen
 */
export function findHolder(file: string): LockHolder | undefined {
	const locked = statSync(file, {throwIfNoEntry: false});
	const holders = allProcesses().filter(
		(pid) => openFilesOf(pid).has(file) && locked !== undefined && hasOpen(pid, locked),
	);
	const pid = holders
		.map(parentOf)
		.find((parent) => parent !== undefined && !holders.includes(parent));
	return pid === undefined
		? undefined
		: {pid, title: printable(titleOf(pid), 80), stopped: isStopped(pid)};
}

/** Whether a process has this very file open: a container can have another one of the same name. */
function hasOpen(pid: number, {dev, ino}: Stats): boolean {
	return listFolder(`/proc/${pid}/fd`).some((name) => {
		const found = statSync(`/proc/${pid}/fd/${name}`, {throwIfNoEntry: false});
		return found?.dev === dev && found.ino === ino;
	});
}
