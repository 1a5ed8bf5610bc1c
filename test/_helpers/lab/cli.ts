import path from 'node:path';
import process from 'node:process';
import type {RunResult} from '../../../source/host/exec/run.ts';
import type {Host} from './namespaces.ts';
import type {Server} from './programs.ts';

/** The built program: what users get. */
export const CLI = path.resolve(import.meta.dirname, '../../../build/cli.js');

/** Runs fw-wizard on a machine of the test. `apply` keeps its change at once, unless the test says otherwise. */
export async function wizard(host: Host, ...args: readonly string[]): Promise<RunResult> {
	return host.run(process.execPath, [CLI, ...atOnce(args)]);
}

/** The same, where it must succeed. @returns what it printed */
export async function wizardDoes(host: Host, ...args: readonly string[]): Promise<string> {
	return host.must(process.execPath, [CLI, ...atOnce(args)]);
}

/** Starts `apply` where it waits for its confirmation: its rules are loaded. */
export async function startApply(host: Host, ...flags: readonly string[]): Promise<Server> {
	return host.start(process.execPath, [CLI, 'apply', ...flags], /The old rules are restored/);
}

function atOnce(args: readonly string[]): readonly string[] {
	return args[0] === 'apply' && !args.includes('--confirm-within') ? [...args, '--yes'] : args;
}

/** What it prints, with its own commands as they are where it is in the PATH. */
export function withShortCommands(text: string): string {
	return text
		.replaceAll(`${process.execPath} ${CLI}`, 'fw-wizard')
		.replaceAll(`node ${CLI}`, 'fw-wizard');
}
