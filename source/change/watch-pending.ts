import {uptime} from 'node:os';
import {type ChangeState, isUnfinished, stateOf, WATCHDOG_DELAY} from './record.ts';
import {rollBack} from './settle.ts';

/** How often the state of the change is looked at, in milliseconds. */
const INTERVAL_MS = 500;

/** The watch of the program that has made a change, as long as that change is pending. */
export type PendingWatch = {
	/** Seconds until the change is rolled back. */
	readonly secondsLeft: () => number;
	readonly state: () => ChangeState | undefined;
	readonly stop: () => void;
};

/**
 * Rolls a change back once its time is over and its watchdog has not done so, for as many tries as
 * that takes. The watchdog may have been killed, or may not be able to start a process.
 * @param until seconds since the boot until which the change can be confirmed
 */
export function watchPending(id: number, until: number): PendingWatch {
	// Two clocks: this one stands still while the machine sleeps, the other one runs on.
	const end = performance.now() + (until - uptime()) * 1000;
	const secondsLeft = () => Math.min((end - performance.now()) / 1000, until - uptime());
	let busy = false;
	const look = async () => {
		const state = stateOf(id);
		const isUndecided = state === 'pending' || state === 'rolling';
		if (!busy && isUndecided && secondsLeft() <= -WATCHDOG_DELAY) {
			busy = true;
			try {
				await rollBack(id, 'roll back', 'it was not confirmed in time', 0);
			} catch {
				// The journal has it. The next look tries again.
			} finally {
				busy = false;
			}
		}

		if (!isUnfinished(state)) {
			clearInterval(timer);
		}
	};
	const timer = setInterval(() => void look(), INTERVAL_MS);
	timer.unref();
	return {
		secondsLeft: () => Math.max(0, Math.ceil(secondsLeft())),
		state: () => stateOf(id),
		stop: () => clearInterval(timer),
	};
}
