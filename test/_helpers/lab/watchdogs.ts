import {readFileSync} from 'node:fs';
import process from 'node:process';
import type {Host} from './namespaces.ts';
import {processesOf} from './processes.ts';

/** The newest watchdog process: the leader of a group with all that it has started. @throws {Error} when there is none */
export async function watchdogOf(host: Host): Promise<number> {
	const processes = await processesOf(host);
	const watchdogs = processes.flatMap(({pid, title}) => {
		const change = /changes\/(\d+)\/rollback wait/.exec(title)?.[1];
		return change === undefined ? [] : [{pid, change: Number(change)}];
	});
	// What it has forked has the same title, and a higher number.
	const [leader] = watchdogs.sort((a, b) => b.change - a.change || a.pid - b.pid);
	if (leader === undefined) {
		throw new Error(`no watchdog among\n${processes.map(({title}) => title).join('\n')}`);
	}

	return leader.pid;
}

/** Sends a signal to the newest watchdog and to all that it has started. */
export async function signalWatchdog(host: Host, signal: NodeJS.Signals): Promise<void> {
	process.kill(-(await watchdogOf(host)), signal);
}

/** The numbers of the newest watchdog and of all that it has started. */
export async function processesOfWatchdog(host: Host): Promise<readonly number[]> {
	const leader = await watchdogOf(host);
	const processes = await processesOf(host);
	return processes.map(({pid}) => pid).filter((pid) => groupOf(pid) === leader);
}

/** The process group of a process (proc(5), field 5 of stat). */
function groupOf(pid: number): number | undefined {
	try {
		const [, , group] = readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /, '')
			.split(' ');
		return Number(group);
	} catch {
		return undefined;
	}
}
