import {firstLine, type RunResult} from '../../host/exec/run.ts';
import type {Namespace} from '../../host/netns.ts';
import {printable} from '../../lib/printable.ts';
import {bootCommand} from '../init/run-restore.ts';
import type {BootLoader, FoundCommand} from './model.ts';

/** A command of somebody else that a copy of this machine could not run. */
export type FailedCommand = {
	readonly loader: BootLoader;
	readonly command: FoundCommand;
	/** Safe to print. */
	readonly message: string;
};

/** What has just been run: the restore script of fw-wizard, or somebody else's commands behind it. */
type BootStep =
	| {readonly kind: 'own'; readonly result: RunResult}
	| {readonly kind: 'loader'; readonly loader: BootLoader};

/** Whether a copy of this machine can do what it does at boot: by programs with known arguments, without a shell. */
export function isRehearsable({when, plain, commands}: BootLoader): boolean {
	return (
		when !== 'later' &&
		plain &&
		commands.every(({effect, load}) => load !== undefined || effect === 'other')
	);
}

/**
 * Does in an isolated copy of this machine what loads rules at boot, in the same order. What has no known place
 * in that order comes last, where it does most harm.
 * @param inspect called behind the restore script of fw-wizard, and behind each one that runs after it
 * @throws {HostError} where others than root could have written the restore script
 */
export async function runBoot(
	machine: Namespace,
	loaders: readonly BootLoader[],
	inspect: (step: BootStep) => Promise<void>,
): Promise<readonly FailedCommand[]> {
	const [program, ...args] = bootCommand();
	const failed: FailedCommand[] = [];
	const rehearsed = loaders.filter(isRehearsable);
	for (const loader of rehearsed.filter(({when}) => when === 'before')) {
		failed.push(...(await runLoader(machine, loader)));
	}

	const result = await machine.run(program, args, {timeout: 30_000});
	await inspect({kind: 'own', result});
	for (const loader of rehearsed.filter(({when}) => when !== 'before')) {
		failed.push(...(await runLoader(machine, loader)));
		await inspect({kind: 'loader', loader});
	}

	return failed;
}

async function runLoader(
	machine: Namespace,
	loader: BootLoader,
): Promise<readonly FailedCommand[]> {
	const failed: FailedCommand[] = [];
	for (const command of loader.commands) {
		if (command.load === undefined) {
			continue;
		}

		const {program, args, text} = command.load;
		const {status, stderr} = await machine.run(program, args, {input: text, timeout: 30_000});
		// To remove what is not there, and to make what is there already, fails at boot as well.
		if (status !== 0 && command.effect !== 'other' && !args.some((arg) => REPEATED.test(arg))) {
			const message = printable(firstLine(stderr), 120) || `it ends with ${status}`;
			failed.push({loader, command, message});
		}
	}

	return failed;
}

const REPEATED = /^(?:-[DXNF]|--delete|--delete-chain|--new-chain|--flush|delete)$/;
