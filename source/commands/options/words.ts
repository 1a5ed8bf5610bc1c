import {Argument, Option} from 'commander';
import type {RuleSetFormat} from '../../ruleset/print-rule-set.ts';

/** The shells for which `completion` prints a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The forms in which `export` prints a policy. */
export const EXPORTS = ['ansible', 'cloud-init', 'nft', 'shell'] as const;
export type ExportForm = (typeof EXPORTS)[number];

/** The forms in which `rules` prints rules. */
export const FORMATS: readonly RuleSetFormat[] = ['restore', 'commands', 'json'];

/** What `schema` describes: a policy file, a failure, and what commands print with --json. */
export const SCHEMA_NAMES = [
	...(['policy', 'error', 'apply', 'check', 'close', 'confirm', 'diff', 'export'] as const),
	...(['exposure', 'facts', 'hosts', 'log', 'open', 'prove', 'report', 'rules', 'status'] as const),
	...(['undo', 'watch', 'why', 'log-follow'] as const),
] as const;
export type SchemaName = (typeof SCHEMA_NAMES)[number];

/** What `watch` can be told. */
export const WATCH_WORDS = ['on', 'off', 'status'] as const;

/** The rules that `prove` can prove: of a policy, the loaded ones, and those of the next boot. */
export const SUBJECTS = ['planned', 'running', 'boot'] as const;
export type Subject = (typeof SUBJECTS)[number];

/**
 * An option that takes one of some words, in upper or lower case. commander refuses others, and
 * `--help`, the manual and completion list the words.
 * @param flags as commander writes them: `--role <role>`
 * @param words in lower case
 */
export function wordOption(flags: string, description: string, words: readonly string[]): Option {
	return inAnyCase(new Option(flags, description).choices(words));
}

/** An argument that takes one of some words in the same way. @param name `<required>` or `[optional]` */
export function wordArgument(
	name: string,
	description: string,
	words: readonly string[],
): Argument {
	return inAnyCase(new Argument(name, description).choices(words));
}

/** Lets an option be given several times: its value becomes the list of all its values. */
export function repeatable(option: Option): Option {
	const {parseArg} = option;
	return option.argParser((text, previous: readonly unknown[] | false | undefined) => [
		// False where --no-NAME stands before it.
		...(previous || []),
		parseArg ? parseArg(text, undefined) : text,
	]);
}

function inAnyCase<T extends Option | Argument>(taker: T): T {
	const {parseArg} = taker;
	taker.argParser((text: string, previous: unknown) => parseArg?.(text.toLowerCase(), previous));
	return taker;
}
