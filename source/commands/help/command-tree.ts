import type {Command, Argument as CommandArgument, Option} from 'commander';

/** The kind of a value: one of some words, the name of a file, an opening, or any text. */
export type Value = readonly string[] | 'file' | 'opening' | 'text';

/** A command with its flags, for completion and the manual. */
export type Syntax = {
	readonly name: string;
	readonly description: string;
	/** The words after the name: `[options] [keep]`. */
	readonly usage: string;
	readonly flags: readonly Flag[];
	/** `[keep]`, `<opening...>`, where it takes one: no command takes two. */
	readonly argument?: Argument;
	readonly commands: readonly Syntax[];
};

type Argument = {
	readonly name: string;
	readonly description: string;
	readonly words: readonly string[];
};

export type Flag = {
	/** `--role` */
	readonly name: string;
	/** `<role>`, where it takes a value. */
	readonly placeholder?: string;
	readonly value?: Value;
	readonly description: string;
};

/** Reads the tree of commands that the program parses its arguments with. */
export function readSyntax(command: Command): Syntax {
	const help = command.createHelp();
	const [argument] = command.registeredArguments;
	return {
		name: command.name(),
		description: command.description(),
		usage: command.usage(),
		flags: help.visibleOptions(command).map(readFlag),
		...(argument && {
			argument: {
				name: nameOf(argument),
				description: argument.description,
				words: argument.argChoices ?? [],
			},
		}),
		commands: help.visibleCommands(command).map(readSyntax),
	};
}

function nameOf(argument: CommandArgument): string {
	const name = argument.variadic ? `${argument.name()}...` : argument.name();
	return argument.required ? `<${name}>` : `[${name}]`;
}

function readFlag({long, flags, required, description, argChoices}: Option): Flag {
	const name = long ?? flags;
	const placeholder = flags.split(' ').at(-1) ?? '';
	return required
		? {name, placeholder, value: argChoices ?? kindOf(placeholder), description}
		: {name, description};
}

function kindOf(placeholder: string): Value {
	switch (placeholder) {
		case '<file>':
		case '<file...>':
		case '<folder>':
			return 'file';
		case '<opening>':
			return 'opening';
		default:
			return 'text';
	}
}
