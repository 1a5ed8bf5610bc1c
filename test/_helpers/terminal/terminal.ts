import type {Socket} from 'node:net';
import process from 'node:process';
import {type IPty, spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {afterEach} from 'vitest';
import {CLI} from '../lab/cli.ts';
import type {Variables} from '../lab/programs.ts';
import {type Picture, readPicture} from '../ui/cells.ts';

/** What a terminal sends for a key. */
const KEYS = {
	up: '\u001B[A',
	down: '\u001B[B',
	right: '\u001B[C',
	left: '\u001B[D',
	home: '\u001B[H',
	end: '\u001B[F',
	pageUp: '\u001B[5~',
	pageDown: '\u001B[6~',
	delete: '\u001B[3~',
	backspace: '\u007F',
	tab: '\t',
	backTab: '\u001B[Z',
	enter: '\r',
	escape: '\u001B',
	space: ' ',
	ctrlC: '\u0003',
} as const;

type KeyName = keyof typeof KEYS;

type Size = {readonly columns: number; readonly rows: number};

export type StartOptions = Partial<Size> & {
	/** The words before the program that enter a namespace. */
	readonly enter?: readonly string[];
	readonly variables?: Variables;
};

/** A program in a terminal of its own. */
export type Terminal = {
	readonly pid: number;
	/** Sends keys, all in one packet. */
	readonly press: (...keys: readonly KeyName[]) => void;
	/** Sends text, or any bytes, in one packet. */
	readonly type: (text: string) => void;
	readonly paste: (text: string) => void;
	/** What stands on the screen now. */
	readonly screen: () => string;
	/** The same with its colours. */
	readonly picture: () => Picture;
	/** All that is above the screen and can be scrolled back to, and the screen itself. */
	readonly history: () => string;
	/** Every byte that the program has sent. */
	readonly output: () => string;
	/** The name of the buffer shown: `alternate` while a full-screen program runs. */
	readonly buffer: () => 'normal' | 'alternate';
	/** Waits for a frame. @returns it @throws {Error} with the last frame when it does not come, or when the program ends */
	readonly waitFor: (wanted: string | RegExp | ((screen: string) => boolean)) => Promise<string>;
	readonly resize: (columns: number, rows: number) => void;
	/** The exit code, when it is over; 128 and more for a signal, as a shell has it. */
	readonly ended: Promise<number>;
};

export type Terminals = {
	/** The program of this project with arguments. */
	readonly wizard: (args: readonly string[], options?: StartOptions) => Terminal;
	readonly start: (words: readonly string[], options?: StartOptions) => Terminal;
};

/** Milliseconds. On a machine that others share a frame may be long in coming. */
const TIMEOUT_MS = 45_000;
/** Synchronized output (private mode 2026). */
const FRAME_BEGINS = '\u001B[?2026h';
const FRAME_ENDS = '\u001B[?2026l';

/** To be called in a `describe` block, or at the top of a file: what was started ends with each test. */
export function useTerminals(): Terminals {
	const open: Array<{pty: IPty; ended: Promise<number>}> = [];
	afterEach(async () => {
		for (const {pty, ended} of open.splice(0)) {
			await hangUp(pty, ended);
		}
	});
	const start: Terminals['start'] = (words, options = {}) => {
		const {columns = 80, rows = 24, enter = [], variables = {}} = options;
		const pty = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...enter, ...words], {
			cols: columns,
			rows,
			env: {
				PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
				HOME: process.env.HOME ?? '/',
				TERM: 'xterm-256color',
				LANG: 'C.UTF-8',
				...variables,
			},
		});
		letLastWordsCome(pty);
		const ended = new Promise<number>((resolve) => {
			pty.onExit(({exitCode, signal}) => resolve(signal ? 128 + signal : exitCode));
		});
		open.push({pty, ended});
		return attach(pty, ended, {columns, rows});
	};
	return {
		start,
		wizard: (args, options) => start([process.execPath, CLI, ...args], options),
	};
}

/**
 * node-pty closes the terminal 200 ms after the program's end, read or not. On a busy machine that
 * takes what was said last; the terminal closes by itself when all of it was read, unless a program
 * in the background has it open.
 */
function letLastWordsCome(pty: IPty): void {
	const socket = Reflect.get(pty, '_socket') as Socket;
	const destroy = socket.destroy.bind(socket);
	let read = 0;
	socket.on('data', (data: string) => {
		read += data.length;
	});
	const destroyWhenSilent = () => {
		const before = read;
		setTimeout(() => {
			// What has come meanwhile is read only after the timers.
			setImmediate(() =>
				setImmediate(() => void (read === before ? destroy() : destroyWhenSilent())),
			);
		}, 2000).unref();
	};
	socket.destroy = (error) => {
		if (socket.readableEnded || error !== undefined) {
			return destroy(error);
		}

		destroyWhenSilent();
		return socket;
	};
}

function attach(pty: IPty, ended: Promise<number>, {columns, rows}: Size): Terminal {
	const screen = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	const watchers = new Set<() => void>();
	let output = '';
	let over = false;
	/** How much of the output has reached the screen. */
	let shown = 0;
	/** Half a frame is none: Ink marks where each begins and ends. */
	const isWhole = () =>
		output.lastIndexOf(FRAME_BEGINS, shown) <= output.lastIndexOf(FRAME_ENDS, shown);
	const look = () => {
		for (const watcher of [...watchers]) {
			watcher();
		}
	};
	screen.onData((answer) => pty.write(answer));
	pty.onData((data) => {
		output += data;
		screen.write(data, () => {
			shown += data.length;
			look();
		});
	});
	const read = (first: number, count: number) =>
		Array.from(
			{length: count},
			// Beyond its width a terminal that became narrower keeps what stood there, unseen.
			(_, index) =>
				screen.buffer.active
					.getLine(first + index)
					?.translateToString(true, 0, screen.cols)
					.trimEnd() ?? '',
		)
			.join('\n')
			.trimEnd();
	const show = () => read(screen.buffer.active.baseY, screen.rows);
	const finished = ended.then(async (code) => {
		// What it said last must have reached the screen.
		await new Promise<void>((resolve) => screen.write('', resolve));
		over = true;
		look();
		return code;
	});
	return {
		pid: pty.pid,
		press: (...keys) => pty.write(keys.map((key) => KEYS[key]).join('')),
		type: (text) => pty.write(text),
		paste: (text) => pty.write(`\u001B[200~${text}\u001B[201~`),
		screen: show,
		picture: () => readPicture(screen),
		history: () => read(0, screen.buffer.active.length),
		output: () => output,
		buffer: () => screen.buffer.active.type,
		ended: finished,
		resize(newColumns, newRows) {
			screen.resize(newColumns, newRows);
			pty.resize(newColumns, newRows);
		},
		waitFor: async (wanted) =>
			new Promise((resolve, reject) => {
				const stop = () => {
					watchers.delete(watcher);
					clearTimeout(timer);
				};
				const watcher = () => {
					const now = show();
					if (isWhole() && matches(now, wanted)) {
						stop();
						resolve(now);
					} else if (over) {
						fail('the program ended');
					}
				};
				const fail = (why: string) => {
					stop();
					reject(new Error(`${why}; waited for ${wanted}\n${show()}`));
				};
				const timer = setTimeout(() => fail(`not within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
				watchers.add(watcher);
				watcher();
			}),
	};
}

function matches(screen: string, wanted: string | RegExp | ((screen: string) => boolean)): boolean {
	return typeof wanted === 'string'
		? screen.includes(wanted)
		: wanted instanceof RegExp
			? wanted.test(screen)
			: wanted(screen);
}

/** Takes the terminal away, as a lost connection does, and makes sure. */
async function hangUp(pty: IPty, ended: Promise<number>): Promise<void> {
	let over = false;
	void ended.then(() => {
		over = true;
	});
	await Promise.resolve();
	if (over) {
		return;
	}

	pty.kill('SIGHUP');
	const timer = setTimeout(() => pty.kill('SIGKILL'), 10_000);
	await ended;
	clearTimeout(timer);
}
