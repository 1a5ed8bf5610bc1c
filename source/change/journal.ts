import {closeSync, constants, fsyncSync, openSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import {readText} from '../host/files/read-text.ts';
import {JOURNAL_FILE, makePrivate, STATE_DIR} from './paths.ts';

/** A line of the journal. The watchdog writes such lines too. */
type Entry = {
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly change: number;
	/** The user; `watchdog` where that has rolled back. */
	readonly who: string;
	readonly what: 'apply' | 'confirm' | 'roll back' | 'undo';
	readonly outcome: string;
};

const {O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK} = constants;
/** Only to a plain file: not through a link, and not into a pipe, where it would wait for a reader. */
const APPEND = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK;

/** What this process has written last. A roll back that is tried again fails for the same reason. */
let written = '';

/**
 * Adds a line, unless it says the same as the one before. Lines are short: the kernel appends each
 * whole (write(2), O_APPEND). A full disk must not stop a roll back: then the line is lost.
 */
export function writeJournal(change: number, what: Entry['what'], outcome: string): void {
	const entry: Entry = {time: new Date().toISOString(), change, who: currentUser(), what, outcome};
	const key = JSON.stringify([change, what, outcome]);
	if (key === written) {
		return;
	}

	try {
		makePrivate(STATE_DIR);
		const descriptor = openSync(JOURNAL_FILE, APPEND, 0o600);
		try {
			writeFileSync(descriptor, `${JSON.stringify(entry)}\n`);
			written = key;
			fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
		}
	} catch {}
}

/** What the journal says became of a change in the end; undefined where it does not say. */
export function readOutcome(change: number): 'kept' | 'rolled back' | undefined {
	const outcomes = (readText(JOURNAL_FILE) ?? '').split('\n').flatMap((line) => {
		try {
			const entry = JSON.parse(line) as Partial<Entry>;
			return entry.change === change ? /^(?:kept|rolled back)/.exec(`${entry.outcome}`)?.[0] : [];
		} catch {
			return [];
		}
	});
	return outcomes.findLast((outcome) => outcome !== undefined) as
		| 'kept'
		| 'rolled back'
		| undefined;
}

/** The person, also where sudo has made root of them. */
export function currentUser(): string {
	const name = process.env.SUDO_USER || nameOfUser();
	return /^[\w.@-]{1,64}$/.test(name) ? name : 'unknown';
}

/** Empty where /etc/passwd does not know this user. */
function nameOfUser(): string {
	try {
		return os.userInfo().username;
	} catch {
		return '';
	}
}
