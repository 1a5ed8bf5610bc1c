import {existsSync, writeFileSync} from 'node:fs';
import {readJson} from '../host/files/read-text.ts';
import {printable} from '../lib/printable.ts';
import {LAST_CHECK_FILE, makePrivate, STATE_DIR} from './paths.ts';

/** What the last check found. */
export type LastCheck = {
	/** UTC, ISO 8601. */
	readonly time: string;
	readonly well: boolean;
	/** The titles of the items that failed, safe to print. */
	readonly failed: readonly string[];
};

/**
 * Remembers what a check has found, where a policy was applied: elsewhere a check writes nothing. A disk that takes
 * nothing must not stop the check: then it is lost.
 */
export function recordCheck(failed: readonly string[]): void {
	if (!existsSync(STATE_DIR)) {
		return;
	}

	const check: LastCheck = {time: new Date().toISOString(), well: failed.length === 0, failed};
	try {
		makePrivate(STATE_DIR);
		// Not by another file that is renamed: a power cut would leave that one, and a damaged one is not read.
		writeFileSync(LAST_CHECK_FILE, `${JSON.stringify(check)}\n`, {mode: 0o600});
	} catch {}
}

/** What the last check found; undefined where none was made, or where the file was damaged. */
export function readLastCheck(): LastCheck | undefined {
	const {time, well, failed} = Object(readJson(LAST_CHECK_FILE)) as Partial<LastCheck>;
	return typeof time === 'string' && typeof well === 'boolean' && Array.isArray(failed)
		? {time: printable(time), well, failed: failed.map((title) => printable(`${title}`, 200))}
		: undefined;
}
