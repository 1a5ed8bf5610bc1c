import {type ChildProcess, spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {HostError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';
import {findProgram} from './find-program.ts';
import {NOT_STARTED_HINT, plainEnvironment, startProcess} from './start-process.ts';
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
	/**
	 * Why there is no status. Only a program that is not installed has nothing to say; of one that
	 * was not started, or did not end by itself, the answer is not known.
	 */
	readonly failure?: 'not installed' | 'not started' | 'not ended';
};

/** Runs a program to its end; never throws. Also the form of "run it in that namespace". */
export type Runner = (
	program: string,
	args: readonly string[],
	options?: RunOptions,
) => Promise<RunResult>;

/**
 * Runs a program of this machine, without a shell, in the C locale. In a session of its own: Ctrl-C
 * and a closing terminal are for this program to handle, and must not end the other in the middle.
 */
export const run: Runner = async (program, args, options = {}) => {
	const file = path.isAbsolute(program) ? program : findProgram(program);
	if (file === undefined) {
		return failed('not installed', `${program} is not installed`);
	}

	// Starting a program blocks the event loop for some 5 ms, and callers start up to ten together.
	await yieldToEventLoop();
	const opensStdin =
		options.input !== undefined && [program, ...args].some((word) => OPENS_STDIN.test(word));
	const [command, words] = opensStdin
		? ['/bin/sh', ['-c', 'cat | "$@"', 'sh', file, ...args]]
		: [file, args];
	const child = await startProcess(file, () =>
		spawn(command, words, {env: plainEnvironment(), stdio: 'pipe', detached: true}),
	);
	if (typeof child === 'string') {
		return failed('not started', child);
	}

	return new Promise((resolve) => {
		const output = {stdout: '', stderr: ''};
		let [over, fault] = [false, ''];
		const timer = setTimeout(async () => {
			// Output that arrived while this program itself was kept waiting is not late.
			for (let turns = 0; turns < 3; turns += 1) {
				await yieldToEventLoop();
			}

			if (!over) {
				fault = 'took too long';
				killGroup(child);
			}
		}, options.timeout ?? 10_000);
		for (const name of ['stdout', 'stderr'] as const) {
			child[name].setEncoding('utf8').on('data', (data) => {
				output[name] += data;
			});
			child[name].on('error', ({message}) => {
				fault = `could not be read: ${printable(message, 120)}`;
			});
		}

		child.on('close', (code, signal) => {
			over = true;
			clearTimeout(timer);
			// Where a part of the output is lost the status says nothing, however the program ended.
			resolve(
				code === null || fault !== ''
					? failed('not ended', `${program} ${fault || `was ended by ${signal}`}`, output.stdout)
					: {...output, status: code},
			);
		});
		// A program that ends before it has read everything (EPIPE) is judged by its status.
		child.stdin.on('error', () => {});
		child.stdin.end(options.input ?? '');
	});
};

/**
 * Programs that open /dev/stdin by its name (nft before 1.0.2, conntrack). Node gives a socket for standard
 * input, which cannot be opened (ENXIO, unix(7)): they get a pipe.
 */
const OPENS_STDIN = /(?:^|\/)(?:nft|conntrack)$/;

function failed(
	failure: NonNullable<RunResult['failure']>,
	stderr: string,
	stdout = '',
): RunResult {
	return {status: undefined, stdout, stderr, failure};
}

/**
 * Runs a program whose silence would be taken for "there is nothing".
 * @returns as `run` does; also for a program that is not installed
 * @throws {HostError} where the program is installed and could not be started, or did not end in time
 */
export async function runToEnd(
	program: string,
	args: readonly string[],
	options?: RunOptions,
	runner: Runner = run,
): Promise<RunResult> {
	const result = await runner(program, args, options);
	if (result.failure === 'not started') {
		throw new HostError(firstLine(result.stderr), NOT_STARTED_HINT);
	}

	if (result.failure === 'not ended') {
		throw new HostError(
			`${program} does not answer: ${printable(firstLine(result.stderr), 120)}`,
			`See what it waits for: ${printable([program, ...args].join(' '), 200)}`,
		);
	}

	return result;
}

/**
 * What a program prints; '' where it is not installed, or ends with another status than 0.
 * @throws {HostError} as `runToEnd`
 */
export async function ask(
	program: string,
	args: readonly string[],
	options?: RunOptions,
	runner: Runner = run,
): Promise<string> {
	const {status, stdout} = await runToEnd(program, args, options, runner);
	return status === 0 ? stdout : '';
}

/** Ends a program and all that it has started: they would hold its output open, which `run` waits for. */
function killGroup(child: ChildProcess): void {
	try {
		// It leads a process group of its own (setsid(2)).
		process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
	} catch {
		child.kill('SIGKILL');
	}

	child.stdout?.destroy();
	child.stderr?.destroy();
}

/** The first line of a program's message, as a part of a message of this program. */
export function firstLine(text: string): string {
	return text.trim().split('\n')[0] ?? '';
}
