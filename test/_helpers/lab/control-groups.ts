import {existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {expect, vi} from 'vitest';

/**
 * A control group of its own in each hierarchy that systemd uses, or in all of them: containers want
 * one in each. Two machines without one would share the groups of their services, and each would end
 * the other's.
 */
export function makeGroup(name: string, which: 'systemd' | 'all' = 'systemd'): readonly string[] {
	return hierarchies(which).map((folder) => {
		const group = path.join(folder, name);
		mkdirSync(group);
		// Without them the group takes no process.
		for (const set of ['cpuset.cpus', 'cpuset.mems']) {
			if (existsSync(path.join(group, set)) && which === 'all') {
				writeFileSync(path.join(group, set), readFileSync(path.join(folder, set)));
			}
		}

		return group;
	});
}

/** Ends all that runs in a group and removes it. */
export async function removeGroup(name: string): Promise<void> {
	for (const folder of hierarchies('all')) {
		const groups = tree(path.join(folder, name));
		await vi.waitFor(
			() => {
				const pids = groups.flatMap(processesIn);
				for (const pid of pids) {
					kill(pid);
				}

				expect(pids).toEqual([]);
			},
			{timeout: 10_000, interval: 20},
		);
		for (const group of groups.reverse()) {
			remove(group);
		}
	}
}

/** Those of test processes that were killed and could not clean up. */
export async function removeAbandonedGroups(): Promise<void> {
	for (const name of new Set(hierarchies('all').flatMap((folder) => readdirSync(folder)))) {
		const pid = /^fww-(\d+)-/.exec(name)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
			await removeGroup(name);
		}
	}
}

/**
 * Allows some processes to have so many with their children (pids.max, cgroups(7)): with 0, none of
 * them can start another one.
 * @returns what takes the limit away again
 */
export function limitProcesses(pids: readonly number[], most: number): () => void {
	const mounts = mountedGroups();
	const {folder = ''} =
		mounts.find(({options}) => options.includes('pids')) ??
		mounts.find(({type}) => type === 'cgroup2') ??
		{};
	const group = path.join(folder, `fww-${process.pid}-${pids[0]}`);
	mkdirSync(group);
	if (!existsSync(path.join(group, 'pids.max'))) {
		writeFileSync(path.join(folder, 'cgroup.subtree_control'), '+pids');
	}

	writeFileSync(path.join(group, 'pids.max'), `${most}`);
	for (const pid of pids) {
		join(group, pid);
	}

	return () => {
		writeFileSync(path.join(group, 'pids.max'), 'max');
		// Whatever they start meanwhile is in the group as well.
		for (let pids = processesIn(group); pids.length > 0; pids = processesIn(group)) {
			for (const pid of pids) {
				join(folder, pid);
			}
		}

		remove(group);
	};
}

/** Moves a process into a group, unless it has ended. */
function join(group: string, pid: number): void {
	try {
		writeFileSync(path.join(group, 'cgroup.procs'), `${pid}`);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
			throw error;
		}
	}
}

/**
 * This process's own groups: in systemd's hierarchy of cgroups(7) version 1 and in version 2, or in
 * those of the controllers too.
 */
function hierarchies(which: 'systemd' | 'all'): readonly string[] {
	const own = new Map(
		readFileSync('/proc/self/cgroup', 'utf8')
			.trim()
			.split('\n')
			.map((line) => {
				const [, controllers = '', group = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
				return [controllers, group];
			}),
	);
	return mountedGroups().flatMap(({folder, type, options}) => {
		const isOfSystemd = type === 'cgroup2' || options.includes('name=systemd');
		const names = [...own.keys()].find((key) =>
			type === 'cgroup2' ? key === '' : key.split(',').every((name) => options.includes(name)),
		);
		const group =
			names !== undefined && (isOfSystemd || which === 'all') ? own.get(names) : undefined;
		return group === undefined ? [] : [path.join(folder, group)];
	});
}

function mountedGroups() {
	return readFileSync('/proc/self/mounts', 'utf8')
		.split('\n')
		.map((line) => {
			const [, folder = '', type = '', options = ''] = line.split(' ');
			return {folder, type, options: options.split(',')};
		})
		.filter(({type}) => type === 'cgroup' || type === 'cgroup2');
}

/** A group and all below it, from the top. */
function tree(group: string): string[] {
	try {
		const below = readdirSync(group, {withFileTypes: true}).filter((entry) => entry.isDirectory());
		return [group, ...below.flatMap(({name}) => tree(path.join(group, name)))];
	} catch {
		return [];
	}
}

/** Another test process may be at the same remains. */
function remove(group: string): void {
	try {
		rmdirSync(group);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
			throw error;
		}
	}
}

function kill(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {}
}

function processesIn(group: string): readonly number[] {
	try {
		return readFileSync(path.join(group, 'cgroup.procs'), 'utf8')
			.split('\n')
			.filter(Boolean)
			.map(Number);
	} catch {
		return [];
	}
}
