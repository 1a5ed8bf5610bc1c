import {spawn} from 'node:child_process';
import process from 'node:process';
import {findProgram} from './find-program.ts';
import {startOrThrow} from './start-process.ts';

/**
 * Runs a program on this very terminal until it ends, with this program's environment.
 * @returns its exit status; 128 after a signal
 * @throws {HostError} where it could not be started
 */
export async function runAttached(
	program: string,
	args: readonly string[],
	variables: Readonly<Record<string, string>> = {},
): Promise<number> {
	const file = findProgram(program) ?? program;
	const child = await startOrThrow(file, () =>
		spawn(file, args, {env: {...process.env, ...variables}, stdio: 'inherit'}),
	);
	// The terminal sends its signals to both; the child decides, and this program ends after it.
	const ignore = () => {};
	const signals = ['SIGINT', 'SIGQUIT'] as const;
	for (const signal of signals) {
		process.on(signal, ignore);
	}

	const forward = (signal: NodeJS.Signals) => child.kill(signal);
	process.on('SIGTERM', forward).on('SIGHUP', forward);
	try {
		return await new Promise((resolve) => {
			child.on('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
		});
	} finally {
		for (const signal of signals) {
			process.off(signal, ignore);
		}

		process.off('SIGTERM', forward).off('SIGHUP', forward);
	}
}
