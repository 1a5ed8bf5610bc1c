import {type Command, Option} from 'commander';
import {InputError} from '../../lib/errors.ts';
import {repeatable} from './words.ts';

/** The flags of the machine on which a command runs. */
export type HostFlags = {
	readonly host?: readonly string[];
	readonly install?: boolean;
	readonly node?: string;
};

/** The commands that neither look at a machine nor change it: they run on other systems than Linux too. */
export const NEED_NO_MACHINE = new Set(['completion', 'export', 'help', 'man', 'rules', 'schema']);

/** The names of these flags, with whether each takes a value. */
const NAMES = {'--host': true, '--install': false, '--node': true} as const;

/** Adds them. They may stand before the name of a command as well. */
export function withHostOptions(command: Command): Command {
	return command
		.addOption(
			repeatable(
				new Option(
					'--host <server>',
					'run on a server over ssh: [USER@]SERVER; nothing has to be installed there',
				),
			),
		)
		.option('--node <file>', 'with --host: bring this bin/node instead of downloading one')
		.option('--install', 'with --host: keep fw-wizard there; undo --all removes it');
}

/**
 * The words of a command without these flags: what the program on the server gets.
 * @param flags as they were parsed: a word that only looks like one of them is the value of another flag
 * @throws {InputError} where that cannot be told apart
 */
export function withoutHostFlags(words: readonly string[], flags: HostFlags): readonly string[] {
	const rest: string[] = [];
	let found = 0;
	for (let index = 0; index < words.length; index += 1) {
		const word = words[index] ?? '';
		if (word === '--') {
			rest.push(...words.slice(index));
			break;
		}

		const [name = '', value] = word.split(/=(.*)/s);
		if (!Object.hasOwn(NAMES, name)) {
			rest.push(word);
			continue;
		}

		found += 1;
		index += NAMES[name as keyof typeof NAMES] && value === undefined ? 1 : 0;
	}

	const given =
		(flags.host?.length ?? 0) + (flags.install ? 1 : 0) + (flags.node === undefined ? 0 : 1);
	if (found !== given) {
		throw new InputError(
			'A value looks like --host, --node or --install, or one of them is given twice',
			'Give --node and --install once, and write a value behind its flag as --comment=TEXT',
		);
	}

	return rest;
}
