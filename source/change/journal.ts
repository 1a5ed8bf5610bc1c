import {closeSync, constants, openSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import {JOURNAL_FILE, makePrivate, STATE_DIR} from './paths.ts';

/** One line of the journal. The watchdog writes such lines too. */
export type Entry = {
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly change: number;
	/** Who did it; the watchdog calls itself that. */
	readonly who: string;
	readonly what: 'apply' | 'confirm' | 'roll back' | 'undo';
	readonly outcome: string;
};

const {O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK} = constants;
/** To a plain file: not through a link, and not into a pipe, where it would wait for a reader. */
const APPEND = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK;

/**
 * Adds a line. Lines are short: the kernel appends each whole (write(2), O_APPEND). A disk that is
 * full must not stop a roll back: then the line is lost.
 */
export function writeJournal(change: number, what: Entry['what'], outcome: string): void {
	const entry: Entry = {time: new Date().toISOString(), change, who: currentUser(), what, outcome};
	try {
		makePrivate(STATE_DIR);
		const descriptor = openSync(JOURNAL_FILE, APPEND, 0o600);
		try {
			writeFileSync(descriptor, `${JSON.stringify(entry)}\n`);
		} finally {
			closeSync(descriptor);
		}
	} catch {}
}

/** The person, not the root that sudo made of them. */
export function currentUser(): string {
	const name = process.env.SUDO_USER || nameOfUser();
	return /^[\w.@-]{1,64}$/.test(name) ? name : 'unknown';
}

/** Empty where /etc/passwd does not know us. */
function nameOfUser(): string {
	try {
		return os.userInfo().username;
	} catch {
		return '';
	}
}
