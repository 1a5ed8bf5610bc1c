import type {Command, Option} from 'commander';
import {TICKS} from '../../checklist/checklist-item.ts';
import {CLEANUP_MODES, MANAGERS} from '../../existing/cleanup-plan.ts';
import {BOOT_CHOICES} from '../../persistence/init-system.ts';
import {HELPER_NAMES} from '../../policy/helpers.ts';
import {ROLES, VERDICTS} from '../../policy/policy.ts';
import {OWN_SERVICES} from '../../policy/services.ts';
import {EXPORTS, SHELLS} from '../options/values.ts';
import {SUBJECTS} from '../prove.ts';
import {FORMATS} from '../rules.ts';

/** What may stand in a place: one of some words, the name of a file, or something else. */
export type Value = readonly string[] | 'file' | 'text';

/** A command with its flags, as `--help` and completion and the manual all show it. */
export type Syntax = {
	readonly name: string;
	readonly description: string;
	/** What follows the name: `[options] [keep]`. */
	readonly usage: string;
	readonly flags: readonly Flag[];
	/** What its one argument may be, where it takes one. */
	readonly argument?: Value;
	readonly commands: readonly Syntax[];
};

export type Flag = {
	/** `--role` */
	readonly name: string;
	/** `<role>`, where it takes a value. */
	readonly placeholder?: string;
	readonly value?: Value;
	readonly description: string;
};

/** What the values of flags, and arguments by their names, may be. */
const VALUES: Readonly<Record<string, Value>> = {
	'--policy': 'file',
	'--role': ROLES,
	'--verdict': VERDICTS,
	'--helper': HELPER_NAMES,
	// The beginning of an opening; a port number nobody completes.
	'--open': ['mdns', ...OWN_SERVICES.keys()],
	'--existing': CLEANUP_MODES,
	'--switch-off': MANAGERS,
	'--confirm-within': 'text',
	'--boot': BOOT_CHOICES,
	'--format': FORMATS,
	'--to': 'text',
	'--of': SUBJECTS,
	'--nmap': 'file',
	'--from': 'text',
	'--tick': TICKS,
	form: EXPORTS,
	keep: ['keep'],
	shell: SHELLS,
};

/** Reads the tree of commands. @throws {RangeError} for a value that the table above lacks */
export function readSyntax(command: Command): Syntax {
	const help = command.createHelp();
	const [argument] = help.visibleArguments(command);
	return {
		name: command.name(),
		description: command.description(),
		usage: command.usage(),
		flags: help.visibleOptions(command).map(readFlag),
		...(argument ? {argument: findValue(argument.name())} : {}),
		commands: help.visibleCommands(command).map(readSyntax),
	};
}

function readFlag({long, flags, required, description}: Option): Flag {
	const name = long ?? flags;
	return required
		? {name, placeholder: flags.split(' ').at(-1) ?? '', value: findValue(name), description}
		: {name, description};
}

function findValue(name: string): Value {
	const value = VALUES[name];
	if (value === undefined) {
		throw new RangeError(`it is not said what ${name} takes`);
	}

	return value;
}
