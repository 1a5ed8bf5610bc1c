import {readlinkSync, statSync} from 'node:fs';
import {forEachYielding} from '../exec/yield.ts';
import {listFolder, readText} from '../files/read-text.ts';

/** A process as /proc shows it (proc(5)). All of these give nothing where it is gone or not ours to see. */

export function parentOf(pid: number): number | undefined {
	const parent = Number(statFields(pid)[1]);
	return Number.isInteger(parent) && parent > 0 ? parent : undefined;
}

/** The process and its ancestors, up to but without PID 1. */
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

/** The name that the kernel knows it by, at most 15 characters. */
export function commandNameOf(pid: number): string {
	return read(`/proc/${pid}/comm`).trim();
}

/** Its command line, or the title that it gave itself. */
export function titleOf(pid: number): string {
	return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** A variable of the environment that it was started with. */
export function variableOf(pid: number, name: string): string | undefined {
	return read(`/proc/${pid}/environ`)
		.split('\0')
		.find((entry) => entry.startsWith(`${name}=`))
		?.slice(name.length + 1);
}

/** The inodes of the sockets that it has open. */
export function socketsOf(pid: number): ReadonlySet<string> {
	const folder = `/proc/${pid}/fd`;
	return new Set(
		listFolder(folder).flatMap(
			(name) => /^socket:\[(\d+)\]$/.exec(link(`${folder}/${name}`))?.[1] ?? [],
		),
	);
}

/** The processes that hold each of these sockets, by inode; in one pass over /proc. */
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

/** Whom it runs as: the effective user. */
export function userIdOf(pid: number): number | undefined {
	const id = /^Uid:\t\d+\t(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
	return id === undefined ? undefined : Number(id);
}

/**
 * Whether it runs a program that only root can have written; undefined where that is hidden. A title
 * and a command name are what the process says of itself, and no evidence.
 */
export function runsFileOfRoot(pid: number): boolean | undefined {
	try {
		const {uid, mode} = statSync(`/proc/${pid}/exe`);
		return uid === 0 && (mode & 0o022) === 0;
	} catch {
		return undefined;
	}
}

/** Its control groups, one a line (cgroups(7)). */
export function controlGroupsOf(pid: number): string {
	return read(`/proc/${pid}/cgroup`);
}

/** The terminals that it has open. */
export function terminalsOf(pid: number): ReadonlySet<string> {
	const folder = `/proc/${pid}/fd`;
	return new Set(
		listFolder(folder)
			.map((name) => link(`${folder}/${name}`))
			.filter((target) => /^\/dev\/(pts\/\d|tty)/.test(target)),
	);
}

/** The paths of the files that it has open. */
export function openFilesOf(pid: number): ReadonlySet<string> {
	const folder = `/proc/${pid}/fd`;
	return new Set(listFolder(folder).map((name) => link(`${folder}/${name}`)));
}

/** Whether it was stopped, by SIGSTOP or by Ctrl-Z, or by a debugger. */
export function isStopped(pid: number): boolean {
	return /^[Tt]$/.test(statFields(pid)[0] ?? '');
}

/** All processes whose name is one of these. */
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

/** What a symbolic link of /proc points at; empty where we may not know. */
export function link(file: string): string {
	try {
		return readlinkSync(file);
	} catch {
		return '';
	}
}
