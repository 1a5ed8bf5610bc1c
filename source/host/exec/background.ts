import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {findProgram} from './find-program.ts';
import {firstLine} from './run.ts';
import {plainEnvironment, startOrThrow, startProcess} from './start-process.ts';

/** A program that waits on its standard input and so ends by itself when this process does. */
export type Held = {readonly pid: number; readonly release: () => Promise<void>};

/**
 * Starts `cat` behind the given program and arguments, and waits until `cat` answers: all that is
 * before it (unshare, say) is then done.
 * @returns the running process, or in one line why there is none: an empty line where the program
 * ended without a word
 * @throws {HostError} where the program is installed and could not be started
 */
export async function hold(program: string, args: readonly string[]): Promise<Held | string> {
	const [file, cat] = [findProgram(program), findProgram('cat')];
	if (file === undefined || cat === undefined) {
		return `${program} is not installed`;
	}

	const child = await startOrThrow(file, () =>
		spawn(file, [...args, cat], {env: plainEnvironment(), stdio: 'pipe', detached: true}),
	);
	const ended = new Promise<void>((resolve) => {
		child.on('close', () => resolve());
	});
	let stderr = '';
	child.stderr.setEncoding('utf8').on('data', (data) => {
		stderr += data;
	});
	// A process that ended early closes its streams: `ended` tells.
	for (const stream of child.stdio) {
		stream?.on('error', () => {});
	}

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
type Conversation = {
	/** Does nothing once the program has ended. */
	readonly send: (line: string) => void;
	readonly end: () => Promise<void>;
};

/**
 * Starts a program and hands over each line that it prints.
 * @param onEnd called once, when the program has ended; with one line where it could not be started
 */
export function converse(
	program: string,
	args: readonly string[],
	onLine: (line: string) => void,
	onEnd: (failure?: string) => void,
): Conversation {
	const file = findProgram(program) ?? program;
	const started = startProcess(file, () =>
		spawn(file, args, {
			env: plainEnvironment(),
			stdio: ['pipe', 'pipe', 'ignore'],
			detached: true,
		}),
	);
	const ended = started.then(async (child) => {
		if (typeof child === 'string') {
			onEnd(child);
			return;
		}

		const closed = new Promise<void>((resolve) => {
			child.on('close', () => resolve());
		});
		child.stdin.on('error', () => {});
		// readline passes on the errors of its input, which end the program's output and so itself.
		createInterface({input: child.stdout})
			.on('line', onLine)
			.on('error', () => {});
		await closed;
		onEnd();
	});
	const use = async (action: (stdin: NodeJS.WritableStream) => void) => {
		const child = await started;
		if (typeof child !== 'string') {
			action(child.stdin);
		}
	};
	return {
		send: (line) => void use((stdin) => stdin.write(`${line}\n`)),
		async end() {
			await use((stdin) => stdin.end());
			await ended;
		},
	};
}

/** A program that outlives this one. */
type Detached = {
	/** Also the number of its group, and of its session. */
	readonly pid: number;
	readonly hasEnded: () => boolean;
};

/**
 * Starts a program that outlives this one, its terminal and its session: in a session of its own
 * (setsid(2)), with no descriptor of this process. Waits until it prints something: all that it needs
 * has started then.
 * @param timeout milliseconds that this may take
 * @returns the running program, or in one line why it does not run
 */
export async function runDetached(
	program: string,
	args: readonly string[],
	timeout: number,
): Promise<Detached | string> {
	const file = findProgram(program) ?? program;
	const child = await startProcess(file, () =>
		spawn(file, args, {
			env: plainEnvironment(),
			stdio: ['ignore', 'pipe', 'ignore'],
			detached: true,
			cwd: '/',
		}),
	);
	if (typeof child === 'string') {
		return child;
	}

	let ended = false;
	const answered = new Promise<boolean>((resolve) => {
		const timer = setTimeout(() => resolve(false), timeout);
		const answer = (isReady: boolean) => {
			clearTimeout(timer);
			resolve(isReady);
		};
		child.stdout.once('data', () => answer(true)).on('error', () => answer(false));
		child.on('exit', () => {
			ended = true;
			answer(false);
		});
	});
	const isReady = await answered;
	child.stdout.destroy();
	child.unref();
	if (child.pid !== undefined && isReady) {
		return {pid: child.pid, hasEnded: () => ended};
	}

	if (child.pid !== undefined) {
		endGroup(child.pid);
	}

	return `${path.basename(file)} ended, or did not begin in time`;
}

/** Ends a program in a session of its own, with all that it has started. */
function endGroup(pid: number): void {
	try {
		process.kill(-pid, 'SIGKILL');
	} catch {
		// Nothing of it runs any more.
	}
}
