import {readFileSync} from 'node:fs';
import process from 'node:process';

/** The variable in which the program outside of a rehearsal hands its ticket to the program inside. */
export const REHEARSAL_VARIABLE = 'FW_WIZARD_REHEARSAL';

/** Whether this process was started as a rehearsal. */
export function isRehearsal(): boolean {
	return process.env[REHEARSAL_VARIABLE] !== undefined;
}

/**
 * The folder with the tables of this machine's sockets (proc(5)). Nothing listens in the network of a
 * rehearsal: there it is the folder of the program outside, which started this one and waits for it.
 */
export function socketTables(): string {
	return isRehearsal() ? `/proc/${process.ppid}/net` : '/proc/net';
}

/**
 * Translates a user number of this user namespace to that of the machine. In the rehearsal of an
 * ordinary user, the kernel gives that user the number 0, and all others one number for nobody
 * (user_namespaces(7)).
 * @returns undefined where the number stands for several users
 */
export function userOnMachine(id: number): number | undefined {
	if (!isRehearsal()) {
		return id;
	}

	const [inside = 0, outside = 0, count = 0] = readFileSync('/proc/self/uid_map', 'utf8')
		.trim()
		.split(/\s+/)
		.map(Number);
	return id >= inside && id < inside + count ? outside + id - inside : undefined;
}
