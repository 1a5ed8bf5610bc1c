import {PassThrough} from 'node:stream';
import {setImmediate as yieldToEventLoop} from 'node:timers/promises';

const ESC = '\u001B';
/** How long a lone escape waits for the rest of a sequence that the network cut in two. */
const ESCAPE_DELAY = 50;
/** How long a key waits at most for what is to listen to it. */
const TIMEOUT_MS = 200;
/** How long a paste waits for its end, which a lost connection may have taken: no key may stay dead. */
const PASTE_DELAY = 2000;
/** Escape in the kitty keyboard protocol: unlike the bare byte it cannot join what follows. */
const ESCAPE_KEY = `${ESC}[27u`;

/** Sequences of keys that the wizard uses, in the spellings of different terminals. */
const SPELLINGS: Readonly<Record<string, string>> = {
	...Object.fromEntries(
		[...'ABCDHF'].flatMap((letter) => [
			[`${ESC}[${letter}`, `${ESC}[${letter}`],
			[`${ESC}O${letter}`, `${ESC}[${letter}`],
		]),
	),
	[`${ESC}[1~`]: `${ESC}[H`,
	[`${ESC}[7~`]: `${ESC}[H`,
	[`${ESC}[4~`]: `${ESC}[F`,
	[`${ESC}[8~`]: `${ESC}[F`,
	[`${ESC}[3~`]: `${ESC}[3~`,
	[`${ESC}[5~`]: `${ESC}[5~`,
	[`${ESC}[6~`]: `${ESC}[6~`,
	// Shift-Tab.
	[`${ESC}[Z`]: `${ESC}[Z`,
};

/** Ctrl-C. */
const INTERRUPT = '\u0003';
/** Ctrl-Z. */
const SUSPEND = '\u001A';

const CONTROLS: Readonly<Record<string, string>> = {
	'\r': '\r',
	'\n': '\r',
	'\t': '\t',
	'\b': '\u007F',
	'\u007F': '\u007F',
	[INTERRUPT]: INTERRUPT,
	[SUSPEND]: SUSPEND,
};

/**
 * A whole sequence, after its escape: CSI (ECMA-48 5.4), SS3 with its letter, or the Linux console's
 * ESC [ [ X, for which a second bracket ends no CSI.
 */
const SEQUENCE = /^(?:\[\[[A-Z]|\[[\d:;<=>?]*[ -/]*[@-Z\\-~]|O[ -~])/;
const BEGUN = /^(?:\[\[?[\d:;<=>?]*[ -/]*|O)?$/;
const PASTE_END = `${ESC}[201~`;

/** The terminal's input, as Ink wants it. */
export type KeySource = NodeJS.ReadableStream & {
	setRawMode?: (mode: boolean) => unknown;
	ref?: () => unknown;
	unref?: () => unknown;
};

/**
 * Hands the terminal's keys to Ink a few turns of the event loop apart, so that each is handled with
 * the state that the one before it made: over SSH many keys share one packet. Joins sequences that
 * arrive in two parts, and drops what no step knows.
 */
export class KeyStream extends PassThrough {
	readonly isTTY = true;
	/** Whether a field is open. Elsewhere digits and pasted text do nothing: neither may choose. */
	typing = false;
	/** Whether what the last frame shows may not listen yet. */
	drawing = false;
	/** What Ctrl-Z does; nothing where it is undefined. */
	suspend: (() => void) | undefined;
	/** Until somebody listens: keys that pile up would be read as one. */
	#held = true;
	#source: KeySource;
	#pending = '';
	#queue: string[] = [];
	#busy = false;
	#timer: NodeJS.Timeout | undefined;

	constructor(source: KeySource) {
		super();
		this.#source = source;
		// Before anything is drawn: keys that come earlier would be echoed into the first frame.
		source.setRawMode?.(true);
		source.setEncoding('utf8');
		source.on('data', this.#take);
		// One before us may have let go of it.
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

	/** Whether keys wait, in their order, for what they would decide about. Ctrl-C and Ctrl-Z do not. */
	set held(held: boolean) {
		this.#held = held;
		void this.#hand();
	}

	/** Lets go of the terminal. */
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
				rest.startsWith(`${ESC}[200~`) ? PASTE_DELAY : ESCAPE_DELAY,
			);
		}

		void this.#hand();
	};

	#next(): string | undefined {
		if (!this.#held) {
			return this.#queue.shift();
		}

		const index = this.#queue.findIndex((key) => key === INTERRUPT || key === SUSPEND);
		// Who leaves wants nothing of what he typed before.
		return this.#queue[index] === INTERRUPT
			? this.#queue.splice(0, index + 1).at(-1)
			: this.#queue.splice(index, index === -1 ? 0 : 1)[0];
	}

	async #hand(): Promise<void> {
		if (this.#busy) {
			return;
		}

		this.#busy = true;
		for (let key = this.#next(); key !== undefined; key = this.#next()) {
			await yieldToEventLoop();
			await yieldToEventLoop();
			// React attaches what a new step or field listens with when it has time, after it has drawn it.
			for (const end = performance.now() + TIMEOUT_MS; this.drawing && performance.now() < end; ) {
				await yieldToEventLoop();
			}

			if (key === SUSPEND) {
				this.suspend?.();
			} else if (this.typing || isCommand(key)) {
				this.write(key);
			}
		}

		this.#busy = false;
	}
}

/**
 * Cuts input into keys; `rest` is the beginning of a sequence whose end is still to come. A pasted
 * text is one key of several characters, its line ends turned into commas so that none submits.
 */
export function splitKeys(input: string): {keys: readonly string[]; rest: string} {
	const keys: string[] = [];
	let text = input;
	while (text !== '') {
		if (text.startsWith(`${ESC}[200~`)) {
			const end = text.indexOf(PASTE_END);
			if (end === -1) {
				break;
			}

			const pasted = flatten(text.slice(6, end));
			keys.push(...(pasted === '' ? [] : [pasted]));
			text = text.slice(end + PASTE_END.length);
			continue;
		}

		if (!text.startsWith(ESC)) {
			const [character = ''] = text;
			keys.push(...toKey(character));
			text = text.slice(character.length);
			continue;
		}

		const after = text.slice(1);
		const sequence = SEQUENCE.exec(after)?.[0];
		if (sequence !== undefined) {
			const key = SPELLINGS[ESC + sequence];
			keys.push(...(key === undefined ? [] : [key]));
			text = after.slice(sequence.length);
		} else if (BEGUN.test(after)) {
			break;
		} else {
			keys.push(ESCAPE_KEY);
			text = text.slice(1);
		}
	}

	return {keys, rest: text};
}

/** Whether a key may do something where no field is open. */
function isCommand(key: string): boolean {
	return key.startsWith(ESC) || ([...key].length === 1 && !/^\d$/.test(key));
}

function toKey(character: string): readonly string[] {
	const control = CONTROLS[character];
	return control === undefined ? (isPrintable(character) ? [character] : []) : [control];
}

function flatten(text: string): string {
	return [
		...text
			.trim()
			.replace(/[\r\n]+/g, ', ')
			.replaceAll('\t', ' '),
	]
		.filter(isPrintable)
		.join('');
}

/** Characters that draw something by themselves: no controls, no format characters, no lone surrogates. */
function isPrintable(character: string): boolean {
	return !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(character);
}
