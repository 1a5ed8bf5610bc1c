import {type ChildProcess, spawn} from 'node:child_process';
import process from 'node:process';
import type {RunOptions, RunResult} from '../../../source/host/exec/run.ts';

export type Variables = Readonly<Record<string, string>>;

/** A program that was started and runs until it is stopped. */
export type Server = {
	readonly pid: number;
	readonly stop: () => Promise<void>;
	/** Ends it by kill -9. @returns whether it still ran */
	readonly kill: () => boolean;
	/** Ends its input, or presses Ctrl-C, and waits until it has said all and ended. */
	readonly endInput: () => Promise<void>;
	readonly interrupt: () => Promise<void>;
	/** What it has said until now, standard error behind standard output. */
	readonly output: () => string;
	/** Its exit status when it is over; undefined after a signal. */
	readonly ended: Promise<number | undefined>;
};

/**
 * Ends the program when the test process does, however that ends: a test run that is killed must
 * not leave servers behind.
 */
const BOUND = ['setpriv', '--pdeathsig', 'KILL', '--'];

/** Runs a program to its end, without a shell, in a plain environment. Never throws. */
export async function execute(
	words: readonly string[],
	options: RunOptions = {},
	variables: Variables = {},
): Promise<RunResult> {
	const child = spawnBound(words, variables);
	const output = collect(child);
	const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000);
	child.stdin?.on('error', () => {});
	child.stdin?.end(options.input ?? '');
	return new Promise((resolve) => {
		child.on('error', (error) => resolve({status: undefined, stdout: '', stderr: `${error}`}));
		child.on('close', (code, signal) => {
			clearTimeout(timer);
			resolve({
				...output,
				status: code ?? undefined,
				stderr: signal ? `${output.stderr}${words.join(' ')}: ${signal}` : output.stderr,
			});
		});
	});
}

/** The same, for programs that must succeed. @returns what it printed @throws {Error} with all that it said */
export async function succeed(
	words: readonly string[],
	options: RunOptions = {},
	variables: Variables = {},
): Promise<string> {
	const {status, stdout, stderr} = await execute(words, options, variables);
	if (status !== 0) {
		throw new Error(`${words.join(' ')}: status ${status}\n${stdout}${stderr}`);
	}

	return stdout;
}

/** Starts a program and waits until it prints what matches `ready`. @throws {Error} when it ends first */
export async function startServer(
	words: readonly string[],
	ready: RegExp,
	variables: Variables = {},
): Promise<Server> {
	const child = spawnBound(words, variables);
	const output = collect(child);
	// Not `close`: what it started may still hold its output.
	const ended = new Promise<number | undefined>((resolve) => {
		child.on('error', () => resolve(undefined));
		child.on('exit', (code) => resolve(code ?? undefined));
	});
	const closed = new Promise<void>((resolve) => {
		child.on('close', () => resolve());
	});
	const started = new Promise<boolean>((resolve) => {
		const look = () => {
			if (ready.test(output.stdout + output.stderr)) {
				resolve(true);
			}
		};
		child.stdout?.on('data', look);
		child.stderr?.on('data', look);
		void ended.then(() => resolve(false));
	});
	if (!(await started) || child.pid === undefined) {
		throw new Error(`${words.join(' ')} did not start\n${output.stdout}${output.stderr}`);
	}

	return {
		pid: child.pid,
		ended,
		kill: () => child.kill('SIGKILL'),
		async endInput() {
			child.stdin?.end();
			await closed;
		},
		async interrupt() {
			child.kill('SIGINT');
			await closed;
		},
		output: () => output.stdout + output.stderr,
		async stop() {
			// Some wait on their standard input, the others listen to signals.
			child.stdin?.on('error', () => {});
			child.stdin?.end();
			child.kill('SIGTERM');
			const timer = setTimeout(() => child.kill('SIGKILL'), 1000);
			await ended;
			clearTimeout(timer);
		},
	};
}

function spawnBound(words: readonly string[], variables: Variables): ChildProcess {
	const [program = '', ...args] = [...BOUND, ...words];
	return spawn(program, args, {
		stdio: 'pipe',
		env: {
			PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
			HOME: process.env.HOME ?? '/',
			LC_ALL: 'C',
			...variables,
		},
	});
}

function collect(child: ChildProcess): {stdout: string; stderr: string} {
	const output = {stdout: '', stderr: ''};
	child.stdout?.setEncoding('utf8').on('data', (data) => {
		output.stdout += data;
	});
	child.stderr?.setEncoding('utf8').on('data', (data) => {
		output.stderr += data;
	});
	return output;
}
