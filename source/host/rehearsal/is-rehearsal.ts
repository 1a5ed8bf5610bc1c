import {readFileSync} from 'node:fs';
import process from 'node:process';

/** Set in a rehearsal, to what the program outside hands to the one inside. */
export const REHEARSAL_VARIABLE = 'FW_WIZARD_REHEARSAL';

/** The source of each mount that a rehearsal makes (proc_pid_mountinfo(5)). */
export const REHEARSAL_MOUNT = 'fww-rehearsal';

/** Whether this process was started as a rehearsal. */
export function isRehearsal(): boolean {
	return process.env[REHEARSAL_VARIABLE] !== undefined;
}

/**
 * The folder with the tables of sockets of this machine (proc(5)). A rehearsal has a network in which
 * nothing listens: there, the one of the program outside, which has started this one and waits for it.
 */
export function socketTables(): string {
	return isRehearsal() ? `/proc/${process.ppid}/net` : '/proc/net';
}

/**
 * The user on this machine whom the kernel calls by a number here. In a rehearsal by an ordinary user
 * it gives that user as 0, and all others one number for nobody (user_namespaces(7)).
 * @returns undefined for whom it does not tell
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
