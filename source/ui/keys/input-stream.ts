import {PassThrough} from 'node:stream';
import {setImmediate as yieldToEventLoop} from 'node:timers/promises';
import {ESCAPE_KEY, INTERRUPT, PASTE_BEGIN, REPAINT, SUSPEND, splitKeys} from './split-keys.ts';

const ESC = '\u001B';
/** Milliseconds that an escape byte waits for the rest of a sequence that the network has split. */
const ESCAPE_DELAY = 50;
/** Milliseconds that a key waits at most for the step to listen to it. */
const TIMEOUT_MS = 200;
/**
 * Milliseconds that a paste waits for its end. A lost connection may have dropped the end, and the
 * keys after it must work again.
 */
const PASTE_DELAY = 2000;
/** The parts of the terminal's input that Ink needs. */
type KeySource = NodeJS.ReadableStream & {
	setRawMode?: (mode: boolean) => unknown;
	ref?: () => unknown;
	unref?: () => unknown;
};

/**
 * Gives the terminal's keys to Ink a few turns of the event loop apart, so that each key meets the
 * state that the key before it made. Over SSH many keys arrive in one packet. Joins sequences that
 * arrive in two parts, and drops sequences that no step knows.
 */
export class KeyStream extends PassThrough {
	readonly isTTY = true;
	/**
	 * Whether a field is open. Without one, digits and pasted text do nothing, so that neither can
	 * choose.
	 */
	typing = false;
	/** Whether the components of the last frame may not listen yet. */
	drawing = false;
	/** What Ctrl-Z does. Undefined where it does nothing. */
	suspend: (() => void) | undefined;
	/** What Ctrl-L does. */
	repaint: (() => void) | undefined;
	/** Holds the keys until Ink listens: keys that pile up would be read as one. */
	#held = true;
	#source: KeySource;
	#pending = '';
	#queue: string[] = [];
	#busy = false;
	#timer: NodeJS.Timeout | undefined;

	constructor(source: KeySource) {
		super();
		this.#source = source;
		// Raw mode begins before anything is drawn, since the terminal would echo earlier keys into the
		// first frame.
		source.setRawMode?.(true);
		source.setEncoding('utf8');
		source.on('data', this.#take);
		// A reader before this one may have paused it.
		source.resume();
		source.on('end', () => this.end());
	}

	setRawMode(mode: boolean): this {
		this.#source.setRawMode?.(mode);
		return this;
	}

	ref(): this {
		this.#source.ref?.();
		return this;
	}

	unref(): this {
		this.#source.unref?.();
		return this;
	}

	/**
	 * Whether keys wait, in their order, until the facts that they would decide about are known.
	 * Ctrl-C, Ctrl-Z and Ctrl-L do not wait.
	 */
	set held(held: boolean) {
		this.#held = held;
		void this.#hand();
	}

	/** Stops reading, and gives the terminal back. */
	stop(): void {
		clearTimeout(this.#timer);
		this.#source.off('data', this.#take);
		this.#source.setRawMode?.(false);
		this.#source.pause();
	}

	#take = (data: string | Buffer): void => {
		clearTimeout(this.#timer);
		const {keys, rest} = splitKeys(this.#pending + data.toString());
		this.#pending = rest;
		this.#queue.push(...keys);
		if (rest !== '') {
			this.#timer = setTimeout(
				() => {
					this.#pending = '';
					this.#queue.push(...(rest === ESC ? [ESCAPE_KEY] : []));
					void this.#hand();
				},
				rest.startsWith(PASTE_BEGIN) ? PASTE_DELAY : ESCAPE_DELAY,
			);
		}

		void this.#hand();
	};

	#next(): string | undefined {
		// As a terminal does (termios(3), ISIG without NOFLSH): who presses Ctrl-C does not wait for the keys before.
		const interrupt = this.#queue.indexOf(INTERRUPT);
		if (interrupt !== -1) {
			return this.#queue.splice(0, interrupt + 1).at(-1);
		}

		if (!this.#held) {
			return this.#queue.shift();
		}

		const index = this.#queue.findIndex((key) => [SUSPEND, REPAINT].includes(key));
		return this.#queue.splice(index, index === -1 ? 0 : 1)[0];
	}

	async #hand(): Promise<void> {
		if (this.#busy) {
			return;
		}

		this.#busy = true;
		for (let key = this.#next(); key !== undefined; key = this.#next()) {
			await yieldToEventLoop();
			await yieldToEventLoop();
			// After a new step or field is drawn, React attaches its input handler at some later time.
			for (const end = performance.now() + TIMEOUT_MS; this.drawing && performance.now() < end; ) {
				await yieldToEventLoop();
			}

			if (key === SUSPEND) {
				this.suspend?.();
			} else if (key === REPAINT) {
				this.repaint?.();
			} else if (this.typing || isCommand(key)) {
				this.write(key);
			}
		}

		this.#busy = false;
	}
}

/** Whether a key may do something while no field is open. */
function isCommand(key: string): boolean {
	return key.startsWith(ESC) || ([...key].length === 1 && !/^\d$/.test(key));
}
