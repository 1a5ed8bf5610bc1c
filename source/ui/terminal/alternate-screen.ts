import process from 'node:process';

const ENTER = '\u001B[?1049h';
const LEAVE = '\u001B[?1049l';
const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
/** Clears the scrollback (xterm, ED 3). */
const ERASE_SCROLLBACK = '\u001B[3J';
/** Moves to the first place of the screen, and clears everything from there. */
export const ERASE_SCREEN = '\u001B[H\u001B[J';
/** Begins a frame (synchronized output, private mode 2026). */
const FRAME = '\u001B[?2026h';

const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

/**
 * The alternate screen of a terminal. It opens at once with a frame drawn without Ink, goes to Ink
 * once that is loaded, and is closed by whichever of the two holds it when the program ends.
 */
export class Screen {
	readonly #terminal: NodeJS.WriteStream;
	readonly #keys: {readonly stop: () => void};
	#holder: 'nobody' | 'us' | 'ink' = 'nobody';

	/** @param keys the reader of the terminal, which is stopped when a signal ends the program */
	constructor(terminal: NodeJS.WriteStream, keys: {readonly stop: () => void}) {
		this.#terminal = terminal;
		this.#keys = keys;
	}

	open(frame: string): void {
		this.#holder = 'us';
		this.#terminal.write(ENTER + HIDE_CURSOR + ERASE_SCREEN + frame);
		for (const signal of SIGNALS) {
			process.on(signal, this.#end);
		}
	}

	/**
	 * The terminal for Ink, which opens and leaves the alternate screen by itself. A screen that is
	 * open is not opened a second time, since that would overwrite the place to return to. The
	 * sequence that clears the scrollback is removed: Ink sends it when the terminal becomes smaller
	 * than the frame, and xterm and tmux then delete the user's lines behind the alternate screen as
	 * well.
	 *
	 * Signals stay with us until `handedOver`: without anybody who listens, one ends the program at once.
	 * @param onWrite told of each write
	 */
	handOver(onWrite: () => void): NodeJS.WriteStream {
		let open = this.#holder === 'us';
		let erase = '';
		this.#holder = 'ink';
		const translate = (data: string) => {
			if (open && data === ENTER) {
				open = false;
				erase = ERASE_SCREEN;
				return '';
			}

			const frame = data === FRAME ? data + erase : data;
			erase = data === FRAME ? '' : erase;
			return frame.replaceAll(ERASE_SCROLLBACK, '');
		};
		const terminal = this.#terminal;
		const write = (data: string | Uint8Array, ...rest: never[]) => {
			onWrite();
			return terminal.write(typeof data === 'string' ? translate(data) : data, ...rest);
		};
		return new Proxy(terminal, {
			get(target, name) {
				const value = Reflect.get(target, name, target);
				return name === 'write' ? write : typeof value === 'function' ? value.bind(target) : value;
			},
		});
	}

	/** Ends our own watch for signals, when Ink has begun its own: it gets a signal that has come meanwhile. */
	handedOver(): void {
		this.#stopWatching();
	}

	/** Leaves the screen, unless Ink holds it. */
	close(): void {
		this.#stopWatching();
		if (this.#holder === 'us') {
			this.#terminal.write(LEAVE + SHOW_CURSOR);
		}

		this.#holder = 'nobody';
	}

	#stopWatching(): void {
		for (const signal of SIGNALS) {
			process.off(signal, this.#end);
		}
	}

	#end = (signal: NodeJS.Signals): void => {
		this.close();
		this.#keys.stop();
		process.kill(process.pid, signal);
	};
}
