import {lstatSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {type Held, hold} from '../host/exec/background.ts';
import {assertPrivate} from '../host/files/atomic-write.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {CONFIG_DIR, LOCK_FILE, makePrivate, STATE_DIR} from './paths.ts';

/** Milliseconds to wait for the lock: more than the wizard takes to see what was decided elsewhere. */
const TIMEOUT_MS = 2000;

/**
 * Takes the lock on changes. A program holds it for us that ends when we do: a dead process holds
 * nothing. One whose change was just decided, or that was just killed, is given a moment to let go.
 * @throws {HostError} when somebody else has it, or others than root may write where it is
 */
export async function lock(): Promise<() => Promise<void>> {
	assertPrivate(CONFIG_DIR);
	makePrivate(STATE_DIR);
	const end = performance.now() + TIMEOUT_MS;
	let held = await tryLock();
	while (held === undefined && performance.now() < end) {
		await delay(100);
		held = await tryLock();
	}

	if (held === undefined) {
		throw new HostError(
			'Another fw-wizard is changing the firewall',
			'Wait for it; or keep its change with fw-wizard confirm, or end it with fw-wizard undo',
		);
	}

	return held.release;
}

/** Does something with the lock on changes, unless somebody else has it. @throws {HostError} */
export async function withLock(work: () => Promise<void>): Promise<void> {
	const held = await tryLock();
	try {
		await (held && work());
	} finally {
		await held?.release();
	}
}

/** @returns undefined when somebody else has it @throws {HostError} when nobody can have it */
async function tryLock(): Promise<Held | undefined> {
	// flock(1) would wait at a pipe until somebody comes.
	if (lstatSync(LOCK_FILE, {throwIfNoEntry: false})?.isFile() === false) {
		throw new HostError(`${LOCK_FILE} is something else than a file`, 'Remove it, and try again');
	}

	const held = await hold('flock', ['-n', LOCK_FILE]);
	if (typeof held === 'string' && held !== '') {
		throw new HostError(
			`The lock on changes cannot be taken: ${printable(held, 160)}`,
			'Nothing was changed. See whether the disk is full or read-only, and try again',
		);
	}

	return typeof held === 'string' ? undefined : held;
}
