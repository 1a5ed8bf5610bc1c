import {type FSWatcher, readlinkSync, watch} from 'node:fs';
import process from 'node:process';
import {ancestorsOf} from '../../host/sockets/processes.ts';

/**
 * Milliseconds in which an event is taken for the echo of an own write: sudo runs a program in a terminal of its own
 * (sudoers(5), use_pty) and copies what the program writes to the terminal of the login a little later.
 */
const COPIED_WITHIN = 500;
/** Milliseconds after the first foreign write before the screen is drawn: wall(1) writes several times. */
const SETTLED = 50;
/** Milliseconds between two drawings: an own write that is taken for a foreign one must not fill the link. */
const LEAST_BETWEEN_ANY = 1000;
/** Milliseconds between two drawings for a terminal whose own writes cannot be told from others. */
const LEAST_BETWEEN = 2000;

/**
 * Notices that another process writes on the terminal: wall(1), a background job, or a server that reports on every
 * terminal. The kernel reports each write to a terminal's file in /dev (inotify(7)), whoever made it, so those of this
 * program are subtracted. Messages that the kernel itself prints on a console are not reported, nor a write that comes
 * before the event of an own write was read.
 */
export class ForeignWrites {
	readonly #onForeign: () => void;
	readonly #watchers: readonly FSWatcher[];
	#timer: NodeJS.Timeout | undefined;
	/** This program has written since the last event. */
	#wrote = false;
	#wroteAt = Number.NEGATIVE_INFINITY;
	#drawnAt = Number.NEGATIVE_INFINITY;

	/** @param onForeign what to do after a foreign write */
	constructor(onForeign: () => void) {
		this.#onForeign = onForeign;
		const own = terminalOf(process.pid);
		const others = new Set(ancestorsOf(process.pid).flatMap((pid) => terminalOf(pid) ?? []));
		this.#watchers = [
			...(own === undefined ? [] : tryWatch(own, this.#onOwn)),
			...[...others]
				.filter((path) => path !== own)
				.flatMap((path) => tryWatch(path, this.#onOuter)),
		];
	}

	/** To be called at each write of this program to its terminal. */
	wrote(): void {
		this.#wrote = true;
		this.#wroteAt = performance.now();
	}

	stop(): void {
		clearTimeout(this.#timer);
		for (const watcher of this.#watchers) {
			watcher.close();
		}
	}

	#onOwn = (): void => {
		// The kernel joins events that were not read yet: one event may stand for several writes of this program.
		const own = this.#wrote;
		this.#wrote = false;
		if (!own) {
			this.#notice();
		}
	};

	#onOuter = (): void => {
		const now = performance.now();
		if (now - this.#wroteAt > COPIED_WITHIN && now - this.#drawnAt > LEAST_BETWEEN) {
			this.#notice();
		}
	};

	#notice(): void {
		// Writes without a pause must not put the drawing off for ever.
		const wait = this.#drawnAt + LEAST_BETWEEN_ANY - performance.now();
		this.#timer ??= setTimeout(
			() => {
				this.#timer = undefined;
				this.#drawnAt = performance.now();
				this.#onForeign();
			},
			Math.max(SETTLED, wait),
		);
	}
}

/** The file of the pseudo-terminal that a process writes to; undefined where it writes elsewhere. */
function terminalOf(pid: number): string | undefined {
	try {
		const path = readlinkSync(`/proc/${pid}/fd/1`);
		return path.startsWith('/dev/pts/') ? path : undefined;
	} catch {
		return undefined;
	}
}

function tryWatch(path: string, listener: () => void): readonly FSWatcher[] {
	try {
		const watcher = watch(path, {persistent: false}, listener);
		watcher.on('error', () => watcher.close());
		return [watcher];
	} catch {
		return [];
	}
}
