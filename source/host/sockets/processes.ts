import {readlinkSync} from 'node:fs';
import {forEachYielding} from '../exec/yield.ts';
import {listFolder, readText} from '../files/read-text.ts';

/**
 * This file reads /proc/PID (proc(5)). Its functions return an empty result where the process has ended,
 * and where this user may not see it.
 */

export function parentOf(pid: number): number | undefined {
	const parent = Number(statFields(pid)[1]);
	return Number.isInteger(parent) && parent > 0 ? parent : undefined;
}

/** The process and its ancestors, without PID 1. */
export function ancestorsOf(pid: number): readonly number[] {
	const chain: number[] = [];
	for (
		let next: number | undefined = pid;
		next !== undefined && next > 1 && !chain.includes(next);
		next = parentOf(next)
	) {
		chain.push(next);
	}

	return chain;
}

/** The name of the process in the kernel, at most 15 characters. */
export function commandNameOf(pid: number): string {
	return read(`/proc/${pid}/comm`).trim();
}

/** The command line of the process, or the title that it gave itself. */
export function titleOf(pid: number): string {
	return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** A variable of the environment with which the process was started. */
export function variableOf(pid: number, name: string): string | undefined {
	return read(`/proc/${pid}/environ`)
		.split('\0')
		.find((entry) => entry.startsWith(`${name}=`))
		?.slice(name.length + 1);
}

/** The inodes of the sockets that the process has open. */
export function socketsOf(pid: number): ReadonlySet<string> {
	const folder = `/proc/${pid}/fd`;
	return new Set(
		listFolder(folder).flatMap(
			(name) => /^socket:\[(\d+)\]$/.exec(link(`${folder}/${name}`))?.[1] ?? [],
		),
	);
}

/** The processes that have each of these sockets open, by inode. Reads /proc once. */
export async function holdersOf(
	inodes: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly number[]>> {
	const holders = new Map<string, number[]>();
	await forEachYielding(inodes.size > 0 ? allProcesses() : [], (pid) => {
		for (const inode of socketsOf(pid)) {
			if (inodes.has(inode)) {
				holders.set(inode, [...(holders.get(inode) ?? []), pid]);
			}
		}
	});
	return holders;
}

/** The effective user of the process. */
export function userIdOf(pid: number): number | undefined {
	const id = /^Uid:\t\d+\t(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
	return id === undefined ? undefined : Number(id);
}

/** The control groups of the process, one per line (cgroups(7)). */
export function controlGroupsOf(pid: number): string {
	return read(`/proc/${pid}/cgroup`);
}

/** The terminals that the process has open. */
export function terminalsOf(pid: number): ReadonlySet<string> {
	const folder = `/proc/${pid}/fd`;
	return new Set(
		listFolder(folder)
			.map((name) => link(`${folder}/${name}`))
			.filter((target) => /^\/dev\/(pts\/\d|tty)/.test(target)),
	);
}

/** The paths of the files that the process has open. */
export function openFilesOf(pid: number): ReadonlySet<string> {
	const folder = `/proc/${pid}/fd`;
	return new Set(listFolder(folder).map((name) => link(`${folder}/${name}`)));
}

/** Whether SIGSTOP, Ctrl-Z or a debugger has stopped the process. */
export function isStopped(pid: number): boolean {
	return /^[Tt]$/.test(statFields(pid)[0] ?? '');
}

/** All processes that have one of these names. */
export function processesNamed(names: readonly string[]): readonly number[] {
	return allProcesses().filter((pid) => names.includes(commandNameOf(pid)));
}

export function allProcesses(): readonly number[] {
	return listFolder('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number);
}

/** The fields of /proc/PID/stat after the name, which may hold spaces and brackets. */
function statFields(pid: number): readonly string[] {
	const text = read(`/proc/${pid}/stat`);
	return text
		.slice(text.lastIndexOf(')') + 1)
		.trim()
		.split(' ');
}

function read(file: string): string {
	return readText(file) ?? '';
}

/** The target of a symbolic link of /proc; empty where this user may not see it. */
export function link(file: string): string {
	try {
		return readlinkSync(file);
	} catch {
		return '';
	}
}
