import {Argument, Option} from 'commander';

/** The shells that completion is for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The forms that `export` knows. */
export const EXPORTS = ['ansible', 'cloud-init', 'nft', 'shell'] as const;
export type ExportForm = (typeof EXPORTS)[number];

/** How `rules` prints rules. */
export const FORMATS = ['restore', 'commands', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** The rules that `prove` can prove: those of a policy, those that are loaded, those of the next boot. */
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

/** Lets an option be given several times. Its value is the list of all that was given. */
export function repeatable(option: Option): Option {
	const {parseArg} = option;
	return option.argParser((text, previous: readonly unknown[] | false | undefined) => [
		// False where the option that begins with --no- came first.
		...(previous || []),
		parseArg ? parseArg(text, undefined) : text,
	]);
}

function inAnyCase<T extends Option | Argument>(taker: T): T {
	const {parseArg} = taker;
	taker.argParser((text: string, previous: unknown) => parseArg?.(text.toLowerCase(), previous));
	return taker;
}
