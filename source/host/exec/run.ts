import {type ChildProcess, spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {findProgram, SYSTEM_PATH} from './find-program.ts';
import {yieldToEventLoop} from './yield.ts';

export type RunOptions = {
	/** What the program reads on its standard input. Default: nothing. */
	readonly input?: string;
	/** Milliseconds after which it is killed. Default 10,000. */
	readonly timeout?: number;
};

export type RunResult = {
	/** The exit status; undefined when it did not start, was killed or took too long. */
	readonly status: number | undefined;
	readonly stdout: string;
	/** What it said on standard error, or in one line why there is no status. */
	readonly stderr: string;
};

/** Runs a program to its end; never throws. Also the form of "run it in that namespace". */
export type Runner = (
	program: string,
	args: readonly string[],
	options?: RunOptions,
) => Promise<RunResult>;

/**
 * Runs a program of this machine, without a shell, in the C locale. In a session of its own: Ctrl-C
 * and a closing terminal are for us to handle, and must not end it in the middle.
 */
export const run: Runner = async (program, args, options = {}) => {
	const file = path.isAbsolute(program) ? program : findProgram(program);
	if (file === undefined) {
		return {status: undefined, stdout: '', stderr: `${program} is not installed`};
	}

	// To start one keeps everything waiting for some 5 ms, and there may be ten to be started at once.
	await yieldToEventLoop();
	return new Promise((resolve) => {
		const child = spawn(file, args, {env: environment(), stdio: 'pipe', detached: true});
		const output = {stdout: '', stderr: ''};
		let [over, timedOut] = [false, false];
		const timer = setTimeout(async () => {
			// What has come while this program itself was kept waiting is not late.
			for (let turns = 0; turns < 3; turns += 1) {
				await yieldToEventLoop();
			}

			if (!over) {
				timedOut = true;
				killGroup(child);
			}
		}, options.timeout ?? 10_000);
		child.stdout.setEncoding('utf8').on('data', (data) => {
			output.stdout += data;
		});
		child.stderr.setEncoding('utf8').on('data', (data) => {
			output.stderr += data;
		});
		child.on('error', (error) => {
			over = true;
			clearTimeout(timer);
			resolve({...output, status: undefined, stderr: error.message});
		});
		child.on('close', (code, signal) => {
			over = true;
			clearTimeout(timer);
			resolve(
				// Of one that took too long a part of the output is lost, however it has ended.
				code === null || timedOut
					? {
							...output,
							status: undefined,
							stderr: `${program} ${timedOut ? 'took too long' : `was ended by ${signal}`}`,
						}
					: {...output, status: code},
			);
		});
		// A program that ends before it has read everything is judged by its status.
		child.stdin.on('error', () => {});
		child.stdin.end(options.input ?? '');
	});
};

/** Ends a program and what it has started: they would hold its output, and we would wait for that. */
function killGroup(child: ChildProcess): void {
	try {
		// It leads a group of its own (setsid(2)).
		process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
	} catch {
		child.kill('SIGKILL');
	}

	child.stdout?.destroy();
	child.stderr?.destroy();
}

/** A program that waits on its standard input and so ends by itself when this process does. */
export type Held = {readonly pid: number; readonly release: () => Promise<void>};

/**
 * Starts `cat` behind the given program and arguments, and waits until it answers: all that is
 * before it (unshare, say) is then done.
 * @returns the running process, or in one line why there is none: an empty one where it ended without a word
 */
export async function hold(program: string, args: readonly string[]): Promise<Held | string> {
	const [file, cat] = [findProgram(program), findProgram('cat')];
	if (file === undefined || cat === undefined) {
		return `${program} is not installed`;
	}

	const child = spawn(file, [...args, cat], {env: environment(), stdio: 'pipe', detached: true});
	const ended = new Promise<void>((resolve) => {
		child.on('close', () => resolve());
		child.on('error', () => resolve());
	});
	let stderr = '';
	child.stderr.setEncoding('utf8').on('data', (data) => {
		stderr += data;
	});
	child.stdin.on('error', () => {});
	const answered = new Promise<boolean>((resolve) => {
		child.stdout.once('data', () => resolve(true));
		void ended.then(() => resolve(false));
	});
	child.stdin.write('\n');
	if (!(await answered) || child.pid === undefined) {
		return firstLine(stderr);
	}

	return {
		pid: child.pid,
		async release() {
			child.stdin.end();
			await ended;
		},
	};
}

/** A program that is talked with, line by line. It ends when its input does, and so with this process. */
export type Conversation = {
	readonly send: (line: string) => void;
	readonly end: () => Promise<void>;
};

/** Starts a program and hands over each line that it prints. */
export function converse(
	program: string,
	args: readonly string[],
	onLine: (line: string) => void,
	onEnd: () => void,
): Conversation {
	const child = spawn(findProgram(program) ?? program, args, {
		env: environment(),
		stdio: ['pipe', 'pipe', 'ignore'],
		detached: true,
	});
	const ended = new Promise<void>((resolve) => {
		child.on('error', () => resolve()).on('close', () => resolve());
	});
	void ended.then(onEnd);
	child.stdin.on('error', () => {});
	createInterface({input: child.stdout}).on('line', onLine);
	return {
		send: (line) => child.stdin.write(`${line}\n`),
		async end() {
			child.stdin.end();
			await ended;
		},
	};
}

/**
 * Starts a program that outlives this one, its terminal and its session: in a session of its own
 * (setsid(2)), with no descriptor of ours.
 * @returns its process id, or undefined when it did not start
 */
export function runDetached(program: string, args: readonly string[]): number | undefined {
	const child = spawn(findProgram(program) ?? program, args, {
		env: environment(),
		stdio: 'ignore',
		detached: true,
		cwd: '/',
	});
	child.on('error', () => {});
	child.unref();
	return child.pid;
}

/** Runs a program on this very terminal until it ends, and gives its exit status. */
export async function runAttached(
	program: string,
	args: readonly string[],
	variables: Readonly<Record<string, string>> = {},
): Promise<number> {
	const child: ChildProcess = spawn(findProgram(program) ?? program, args, {
		env: {...process.env, ...variables},
		stdio: 'inherit',
	});
	// The terminal sends its signals to both; the child decides, and its end is ours.
	const ignore = () => {};
	const signals = ['SIGINT', 'SIGQUIT'] as const;
	for (const signal of signals) {
		process.on(signal, ignore);
	}

	const forward = (signal: NodeJS.Signals) => child.kill(signal);
	process.on('SIGTERM', forward).on('SIGHUP', forward);
	try {
		return await new Promise((resolve) => {
			child.on('error', () => resolve(127));
			child.on('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
		});
	} finally {
		for (const signal of signals) {
			process.off(signal, ignore);
		}

		process.off('SIGTERM', forward).off('SIGHUP', forward);
	}
}

/** The first line of a program's message, for ours. */
export function firstLine(text: string): string {
	return text.trim().split('\n')[0] ?? '';
}

function environment(): NodeJS.ProcessEnv {
	const {XTABLES_LOCKFILE, HOME} = process.env;
	return {
		PATH: SYSTEM_PATH.join(':'),
		LC_ALL: 'C',
		...(HOME === undefined ? {} : {HOME}),
		...(XTABLES_LOCKFILE === undefined ? {} : {XTABLES_LOCKFILE}),
	};
}
