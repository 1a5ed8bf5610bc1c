import type {Command} from 'commander';
import {CHANGE_COMMANDS} from './change-commands.ts';
import type {CommandShape} from './command-shape.ts';
import {INSPECT_COMMANDS} from './inspect-commands.ts';
import {SHELLS, wordArgument} from './options/words.ts';
import type {Act} from './run-action.ts';

/** Those that tell of the flags of all. */
const TELL_OF_ALL = new Set(['completion', 'help', 'man']);

/**
 * Adds all commands to the root.
 * @param act gives a command what it does
 * @param first the first word of the command line. Where it is the name of a command, only this one gets its flags:
 * those of all take a sixth of the time that `rules` takes
 * @returns the commands that have their flags
 */
export function addCommands(root: Command, act: Act, first?: string): readonly Command[] {
	const shapes = [...CHANGE_COMMANDS, ...INSPECT_COMMANDS, ...helpCommands(root)];
	const added = shapes.map(({name, description, action}) => {
		const command = root.command(name).description(description);
		act(command, action);
		return command;
	});
	const isOne = !TELL_OF_ALL.has(first ?? '') && shapes.some(({name}) => name === first);
	return shapes.flatMap(({name, shape}, index) => {
		const command = added[index];
		return command === undefined || (isOne && name !== first) ? [] : (shape?.(command) ?? command);
	});
}

/** The commands that tell of all commands. */
function helpCommands(root: Command): readonly CommandShape[] {
	return [
		{
			name: 'completion',
			description: 'print the completion script of a shell',
			async action(_, shell) {
				const {printCompletion} = await import('./help/completion.ts');
				const {readSyntax} = await import('./help/command-tree.ts');
				return printCompletion(shell, readSyntax(root));
			},
			shape: (command) => command.addArgument(wordArgument('<shell>', 'the shell', SHELLS)),
		},
		{
			name: 'man',
			description: 'print the manual page',
			async action() {
				const {printManual} = await import('./help/man-page.ts');
				const {readSyntax} = await import('./help/command-tree.ts');
				return printManual(readSyntax(root), FW_WIZARD_VERSION);
			},
		},
		{
			name: 'help',
			description: 'print help on a command',
			async action(_, name) {
				(root.commands.find((command) => command.name() === name) ?? root).outputHelp();
				return '';
			},
			shape: (command) =>
				command.addArgument(
					wordArgument(
						'[command]',
						'the command; without one, all are listed',
						root.commands.map((one) => one.name()),
					),
				),
		},
	];
}
