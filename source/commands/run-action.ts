import process from 'node:process';
import type {Command} from 'commander';
import {CONFIG_DIR, STATE_DIR} from '../change/paths.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {commandLine} from '../lib/command-line.ts';
import {HostError, InputError} from '../lib/errors.ts';
import {type HostFlags, NEED_NO_MACHINE} from './options/host.ts';

/** What a command prints, and its exit code: without one, 0. */
export type Output = string | {readonly text: string; readonly code: number};

/** Gives a command its action, and perhaps something to do before that which a rehearsal must not do. */
export type Act = (
	command: Command,
	/** Gets the flags and the one argument. */
	action: (flags: never, word: never) => Promise<Output>,
	before?: () => Promise<void>,
) => Command;

/**
 * The flags of a command. Before its name only --rehearse and those of --host may stand, and --no-color, which
 * does no harm: other flags there are those of the wizard, and without them the command could open or close
 * something else than the user meant.
 * @throws {InputError} where another flag stands before the name
 */
export function flagsOf(called: Command, root: Command): HostFlags & {readonly rehearse?: boolean} {
	const {rehearse, host, install, node, color: _, ...others} = called === root ? {} : root.opts();
	const misplaced = root.options.find((option) => {
		const value = others[option.attributeName()];
		return value !== undefined && option.negate === (value === false);
	});
	if (misplaced) {
		throw new InputError(
			`${misplaced.long} stands before the command`,
			`Write it after the command: ${commandLine(`${called.name()} ${misplaced.long}`)}`,
		);
	}

	const before = Object.entries({rehearse, install, node}).filter(
		([, value]) => value !== undefined,
	);
	const {host: after = [], ...own} = called.opts();
	const hosts = [...(host ?? []), ...after];
	return {...own, ...Object.fromEntries(before), ...(hosts.length > 0 ? {host: hosts} : {})};
}

/** @param name of a command, '' for the wizard @throws {HostError} where it needs Linux, and this is another system */
export function requireLinux(
	name: string,
	{rehearse = false}: {readonly rehearse?: boolean},
): void {
	if (process.platform !== 'linux' && (rehearse || !NEED_NO_MACHINE.has(name))) {
		throw new HostError(
			`${process.platform === 'darwin' ? 'macOS' : process.platform} has no iptables: fw-wizard ${name}`.trimEnd() +
				' must run on Linux',
			`Run it on a server: ${commandLine(`--host USER@SERVER ${name}`.trimEnd())}`,
		);
	}
}

/**
 * Runs an action here, or with --rehearse in a private copy of the machine.
 * @param before runs on the real machine in both cases
 * @returns the exit code
 */
export async function rehearsed(
	flags: {readonly rehearse?: boolean},
	action: () => Promise<number>,
	before?: () => Promise<void>,
): Promise<number> {
	if (isRehearsal()) {
		const {prepareRehearsal} = await import('../host/rehearsal/start.ts');
		await prepareRehearsal([CONFIG_DIR, STATE_DIR]);
		return action();
	}

	await before?.();
	if (flags.rehearse) {
		const {startRehearsal} = await import('../host/rehearsal/start.ts');
		return startRehearsal();
	}

	return action();
}

/** @returns the exit code */
export function print(output: Output): number {
	const {text, code} = typeof output === 'string' ? {text: output, code: 0} : output;
	// The wizard has nothing to say, and its terminal may be gone.
	if (text !== '') {
		process.stdout.write(text);
	}

	return code;
}
