import {lstatSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {type Held, hold} from '../host/exec/background.ts';
import {findHolder, type LockHolder} from '../host/files/lock-holder.ts';
import {assertPrivate} from '../host/files/trust.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {CONFIG_DIR, LOCK_FILE, makePrivate, STATE_DIR} from './paths.ts';
import {folderOf} from './record.ts';

/** Milliseconds to wait for the lock: more than the wizard takes to see what was decided elsewhere. */
const TIMEOUT_MS = 2000;

/**
 * Takes the lock on changes. A child process holds it and ends with this one, so that a dead fw-wizard
 * locks nothing. A process that has just decided, or was just killed, gets a moment to release it.
 * @throws {HostError} when another process has it, or others than root may write to its folder
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
		throw describeHolder(findHolder(LOCK_FILE));
	}

	return held.release;
}

function describeHolder(holder: LockHolder | undefined): HostError {
	const message = 'Another fw-wizard is changing the firewall';
	const wait = `Wait for it; or confirm its change: ${commandLine('confirm')}; or end it: ${commandLine('undo')}`;
	if (holder === undefined) {
		return new HostError(message, wait, 3, 'busy');
	}

	const {pid, title, stopped} = holder;
	return stopped
		? new HostError(
				`${message}, and is stopped: process ${pid} (${title})`,
				`Let it continue: kill -CONT ${pid}; or continue without it, which rolls its change back: kill -KILL ${pid}, and try again`,
				3,
				'busy',
			)
		: new HostError(
				`${message}: process ${pid} (${title})`,
				`${wait}; or continue without it: kill ${pid}, and try again`,
				3,
				'busy',
			);
}

/** Runs the work under the lock on changes, unless another process has the lock. @throws {HostError} */
export async function withLock(work: () => Promise<void>): Promise<void> {
	const held = await tryLock();
	try {
		await (held && work());
	} finally {
		await held?.release();
	}
}

/** Seconds to wait for another confirmation or undo of a change: a slow disk takes some to write its files. */
const CHANGE_TIMEOUT = 60;

/**
 * Runs what confirms a change or undoes it, one at a time. Only whoever waits for a confirmation holds the
 * lock on changes, so that this is another lock: that of the record.
 * @throws {HostError} where another process has it for too long
 */
export async function withChange<T>(id: number, work: () => Promise<T>): Promise<T> {
	const file = `${folderOf(id)}/meta.json`;
	const held = await hold('flock', ['-w', `${CHANGE_TIMEOUT}`, file]);
	if (typeof held === 'string') {
		throw held === ''
			? describeHolder(findHolder(file))
			: new HostError(
					`Change ${id} cannot be locked: ${printable(held, 160)}`,
					'See whether its folder is there and may be used, and try again',
				);
	}

	try {
		return await work();
	} finally {
		await held.release();
	}
}

/** @returns undefined when another process has it @throws {HostError} when no process can have it */
async function tryLock(): Promise<Held | undefined> {
	// flock(1) opens the file, and would wait for the other end of a pipe.
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
