import {closeSync, openSync, readFileSync, readlinkSync} from 'node:fs';
import {uptime} from 'node:os';
import path from 'node:path';
import {run} from '../host/exec/run.ts';
import {type ChangeState, isUnfinished, stateOf, WATCHDOG_DELAY} from './change-state.ts';
import {folderOf, scriptOf} from './record.ts';
import {rollBack} from './roll-back.ts';

/** How often the state of the change is looked at, in milliseconds. */
const INTERVAL_MS = 500;

/** The watch of the program that has made a change, as long as that change is pending. */
type PendingWatch = {
	/** Seconds until the change is rolled back. */
	readonly secondsLeft: () => number;
	readonly state: () => ChangeState | undefined;
	readonly stop: () => void;
};

/**
 * Watches the watchdog of a change: starts it again where it has ended, and rolls the change back once
 * its time is over and the watchdog has not done so, for as many tries as that takes. Where somebody has
 * removed the folder of the change, and so decided nothing, it does that at once from memory.
 * @param until seconds since the boot until which the change can be confirmed
 * @param revive starts the watchdog again where it has ended, with so many seconds
 */
export function watchPending(
	id: number,
	until: number,
	revive: (seconds: number) => Promise<void>,
): PendingWatch {
	// Two clocks: this one stands still while the machine sleeps, the other one runs on.
	const end = performance.now() + (until - uptime()) * 1000;
	const secondsLeft = () => Math.min((end - performance.now()) / 1000, until - uptime());
	const script = readFileSync(scriptOf(id), 'utf8');
	const mark = openSync(path.join(folderOf(id), 'pending'), 'r');
	let known: ChangeState | undefined = 'pending';
	let isLost = false;
	let stopped = false;
	const state = () => {
		try {
			known = stateOf(id) ?? (known === 'rolled-back' ? known : undefined);
			isLost = known === undefined && !stopped && isRemovedUndecided(mark);
		} catch {
			// It cannot be read at this moment: too many files are open, or the disk has an error.
		}

		return isLost ? 'rolling' : known;
	};
	const act = async () => {
		const left = secondsLeft();
		if (isLost) {
			const {status} = await run('sh', ['-s', 'lost'], {input: script, timeout: 60_000});
			known = status === 0 ? 'rolled-back' : known;
			return;
		}

		if (left > 0) {
			await (state() === 'pending' && revive(Math.ceil(left)));
		} else if (left <= -WATCHDOG_DELAY) {
			await rollBack(id, 'roll back', 'it was not confirmed in time', 0);
		}
	};
	let busy = false;
	const look = async () => {
		const seen = state();
		if (!isUnfinished(seen)) {
			stop();
		} else if (!busy && (seen === 'pending' || seen === 'rolling')) {
			busy = true;
			try {
				await act();
			} catch {
				// The journal has it. The next look tries again.
			} finally {
				busy = false;
			}
		}
	};
	const timer = setInterval(() => void look(), INTERVAL_MS);
	timer.unref();
	const stop = () => {
		clearInterval(timer);
		if (!stopped) {
			stopped = true;
			closeSync(mark);
		}
	};
	return {
		secondsLeft: () => Math.max(0, Math.ceil(secondsLeft())),
		state,
		stop,
	};
}

/**
 * Whether an open mark of a change was removed while nothing was decided (proc(5): the link of the
 * descriptor has its last name).
 */
function isRemovedUndecided(mark: number): boolean {
	return /\/(pending|rolling) \(deleted\)$/.test(readlinkSync(`/proc/self/fd/${mark}`));
}
