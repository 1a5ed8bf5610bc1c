import {type Command, Option} from 'commander';
import {TICKS} from '../checklist/checklist-item.ts';
import {withConfirmationOptions, withEditOptions} from './options/confirmation.ts';
import {withExistingOptions, withSwitchOff} from './options/existing.ts';
import {withPolicyOptions} from './options/policy.ts';
import {sourceOption} from './options/sources.ts';
import {
	EXPORTS,
	FORMATS,
	repeatable,
	SCHEMA_NAMES,
	SHELLS,
	SUBJECTS,
	WATCH_WORDS,
	wordArgument,
	wordOption,
} from './options/words.ts';
import type {Act} from './run-action.ts';

/** Those that tell of the flags of all. */
const TELL_OF_ALL = new Set(['completion', 'help', 'man']);

/**
 * Adds all commands to the root. Each loads its code when it runs, since the code of all of them takes
 * longer to load than a rule set takes to make.
 * @param act gives a command what it does
 * @param first the first word of the command line. Where it is the name of a command, only this one gets its flags:
 * those of all take a sixth of the time that `rules` takes
 * @returns the commands that have their flags
 */
export function addCommands(root: Command, act: Act, first?: string): readonly Command[] {
	const shapes = new Map<string, (command: Command) => Command>();
	const add = (
		name: string,
		description: string,
		action: Parameters<Act>[1],
		shape = (command: Command) => command,
	) => {
		act(root.command(name).description(description), action);
		shapes.set(name, shape);
	};

	add(
		'rules',
		'print the rule set of a policy',
		async (flags) => (await import('./rules.ts')).printRules(flags),
		(command) =>
			withSwitchOff(withPolicyOptions(command), 'as if ufw or firewalld were switched off')
				.addOption(
					wordOption('--format <format>', 'the form of the rules', FORMATS).default('restore'),
				)
				.option('--json', 'the same as --format json'),
	);

	add(
		'apply',
		'apply a policy without questions',
		async (flags) => (await import('./apply.ts')).apply(flags),
		(command) =>
			withConfirmationOptions(withExistingOptions(withPolicyOptions(command)))
				.option('--yes', 'save the change at once, without a new login')
				.option('--json', 'print the outcome as JSON'),
	);

	add(
		'open',
		'open ports in the policy that was applied, and apply it',
		async (flags, words) => (await import('./open.ts')).open(words, flags),
		(command) =>
			withEditOptions(
				command.argument(
					'<opening...>',
					'as for --open: 8080/tcp, ssh; 443 from 10.0.0.0/8 narrows 443',
				),
			)
				.option('--for <time>', 'how long it stays open: 2h, 30min, 3d; the kernel ends it')
				.addOption(sourceOption())
				.option(
					'--until <time>',
					'when it ends: 18:00 or "2026-12-01 18:00", in the zone of this machine',
				)
				.option('--comment <text>', 'what it is for; its rules have it as a comment'),
	);

	add(
		'close',
		'close ports in the policy that was applied, and apply it',
		async (flags, words) => (await import('./close.ts')).close(words, flags),
		(command) =>
			withEditOptions(
				command.argument(
					'<opening...>',
					'what to close: 8080/tcp, ssh; with "from": for these sources and what is in them',
				),
			),
	);

	add(
		'confirm',
		'confirm the change that waits',
		async (flags, word) => (await import('./confirm.ts')).confirm(word, flags),
		(command) =>
			command
				.addArgument(
					wordArgument('[keep]', 'the word keep, where this session itself made the change', [
						'keep',
					]),
				)
				.option('--json', 'print the outcome as JSON'),
	);

	add(
		'undo',
		'restore the rules and files from before the last change',
		async (flags) => (await import('./undo.ts')).undo(flags),
		(command) =>
			command
				.option('--list', 'list the changes')
				.option('--to <id>', 'restore what was there before this change')
				.option('--all', 'remove every trace of fw-wizard')
				.option('--yes', 'also where that blocks the connection that you use')
				.option('--json', 'print the outcome as JSON'),
	);

	add(
		'prove',
		'send a packet to every port, and show which pass',
		async (flags) => (await import('./prove.ts')).proveCommand(flags),
		(command) =>
			withPolicyOptions(command)
				.addOption(wordOption('--of <rules>', 'the rules to prove', SUBJECTS).default('planned'))
				.option('--nmap <file>', 'compare the XML output of an nmap scan to the policy')
				.option('--from <address>', 'with --nmap: the address that the scan was made from')
				.option('--json', 'print the proof as JSON'),
	);

	add(
		'exposure',
		'what the outside can reach now, and what it could with a policy',
		async (flags) => (await import('./exposure.ts')).exposure(flags),
		(command) =>
			withExistingOptions(withPolicyOptions(command))
				.addOption(
					repeatable(
						new Option(
							'--packet <packet>',
							'only what happens to a packet, as "tcp 80 from 192.0.2.7"; repeatable',
						),
					),
				)
				.option('--json', 'print it as JSON'),
	);

	add(
		'facts',
		'print what is known of this machine, for bug reports',
		async (flags) => (await import('./facts.ts')).facts(flags),
		(command) =>
			command
				.option('--json', 'print it as JSON')
				.option('--mask', 'give addresses other names, each always the same'),
	);

	add(
		'check',
		'check the running rules and those of the next boot',
		async (flags) => (await import('./check.ts')).check(flags),
		(command) =>
			command
				.option('--fix', 'repair the rules and files of fw-wizard')
				.option(
					'--full',
					'try every port with the rules of the next boot, not only where rules begin or end',
				)
				.addOption(wordOption('--tick <what>', 'note what only you can see', TICKS))
				.option('--json', 'print the checklist as JSON'),
	);

	add(
		'status',
		'print whether the firewall is active, and what is open',
		async (flags) => (await import('./status.ts')).status(flags),
		(command) => command.option('--json', 'print it as JSON'),
	);

	add(
		'why',
		'say whether a port is open to an address, and which rule decides',
		async (flags, words) => (await import('./why.ts')).why(words, flags),
		(command) =>
			command
				.argument('<packet...>', 'a port, or an address and a port: 22/tcp, 198.51.100.7 443')
				.option('--on <interface>', 'the interface on which the packet arrives')
				.option('--prove', 'send such a packet in a copy of this machine as well')
				.option('--json', 'print it as JSON'),
	);

	add(
		'diff',
		'show what opens and closes from one policy to another',
		async (flags, words) => (await import('./diff.ts')).diff(words, flags),
		(command) =>
			command
				.argument(
					'[sides...]',
					'two of: applied, running, the number of a change, a policy file (default: applied running)',
				)
				.option('--json', 'print it as JSON'),
	);

	add(
		'log',
		'print what was blocked: by port and by source',
		async (flags) => (await import('./log.ts')).log(flags),
		(command) =>
			command
				.option('--since <time>', 'how far back in the log: 30min, 1h, 2d (default 24h)')
				.option('--follow', 'print each packet as it is logged, until Ctrl-C')
				.option('--json', 'print it as JSON; with --follow, one object a line'),
	);

	add(
		'watch',
		'watch the loaded rules, and show what was found',
		async (flags, what) => (await import('./watch.ts')).watch(what, flags),
		(command) =>
			command
				.addArgument(wordArgument('[what]', 'on, off, or status (default)', WATCH_WORDS))
				.option('--repair', 'load missing rules again, at any time')
				.option('--no-repair', 'only report them, but in the minutes after a boot')
				.option('--every <time>', 'how often, from 1min to 60min (default 5min)')
				.option(
					'--notify <program>',
					'run it, with JSON on its standard input, when something is wrong',
				)
				.option('--no-notify', 'run nothing')
				.option('--textfile <file>', 'write metrics for the textfile collector of node_exporter')
				.option('--no-textfile', 'write no metrics')
				.option('--json', 'print it as JSON'),
	);

	add(
		'report',
		'print the state of this firewall, or of many, for an audit',
		async (flags) => (await import('./report.ts')).report(flags),
		(command) =>
			command
				.option('--html <file>', 'write it as one page for a browser, which loads and runs nothing')
				.option('--prove', 'prove the loaded rules now; otherwise the last proof is shown')
				.option(
					'--fleet <file...>',
					'report on the hosts whose status --json or check --json is in these files or folders',
				)
				.option(
					'--textfiles <folder>',
					'with --fleet: write metrics of each host there, as HOST.prom',
				)
				.option('--json', 'print it as JSON'),
	);

	add(
		'export',
		'print a policy for another machine, in another form',
		async (flags, form) => (await import('./export.ts')).exportPolicy(form, flags),
		(command) =>
			withPolicyOptions(command.addArgument(wordArgument('<form>', 'the other form', EXPORTS)))
				.option('--role-dir <folder>', 'write a role of Ansible into this folder')
				.option('--json', 'print it with the policy as JSON'),
	);

	add(
		'schema',
		'print the JSON Schema of a policy file, or of what --json prints',
		async (_, name) => (await import('./schema.ts')).printSchema(name),
		(command) =>
			command.addArgument(wordArgument('<name>', 'what the schema describes', SCHEMA_NAMES)),
	);

	add(
		'completion',
		'print the completion script of a shell',
		async (_, shell) => {
			const {printCompletion} = await import('./help/completion.ts');
			const {readSyntax} = await import('./help/command-tree.ts');
			return printCompletion(shell, readSyntax(root));
		},
		(command) => command.addArgument(wordArgument('<shell>', 'the shell', SHELLS)),
	);

	add('man', 'print the manual page', async () => {
		const {printManual} = await import('./help/man-page.ts');
		const {readSyntax} = await import('./help/command-tree.ts');
		return printManual(readSyntax(root), FW_WIZARD_VERSION);
	});
	add(
		'help',
		'print help on a command',
		async (_, name) => {
			(root.commands.find((command) => command.name() === name) ?? root).outputHelp();
			return '';
		},
		(command) =>
			command.addArgument(
				wordArgument('[command]', 'the command; without one, all are listed', [...shapes.keys()]),
			),
	);

	const isOne = first !== undefined && shapes.has(first) && !TELL_OF_ALL.has(first);
	return root.commands
		.filter((command) => !isOne || command.name() === first)
		.map((command) => shapes.get(command.name())?.(command) ?? command);
}
