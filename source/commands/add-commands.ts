import {type Command, Option} from 'commander';
import {TICKS} from '../checklist/checklist-item.ts';
import {withConfirmationOptions} from './options/confirmation.ts';
import {withExistingOptions, withSwitchOff} from './options/existing.ts';
import {withPolicyOptions} from './options/policy.ts';
import {
	EXPORTS,
	FORMATS,
	repeatable,
	SHELLS,
	SUBJECTS,
	WATCH_WORDS,
	wordArgument,
	wordOption,
} from './options/words.ts';
import {type Act, print} from './run-action.ts';

/**
 * Adds all commands to the root. Each loads its code when it runs, since the code of all of them takes
 * longer to load than a rule set takes to make.
 * @param act gives a command what it does
 */
export function addCommands(root: Command, act: Act): void {
	const add = (name: string, description: string, action: Parameters<Act>[1]) =>
		act(root.command(name).description(description), action);

	withSwitchOff(
		withPolicyOptions(
			add('rules', 'print the rule set of a policy', async (flags) =>
				print(await (await import('./rules.ts')).printRules(flags)),
			),
		),
		'as if ufw or firewalld were switched off',
	)
		.addOption(wordOption('--format <format>', 'the form of the rules', FORMATS).default('restore'))
		.option('--json', 'the same as --format json');

	withConfirmationOptions(
		withExistingOptions(
			withPolicyOptions(
				add('apply', 'apply a policy without questions', async (flags) =>
					print(await (await import('./apply.ts')).apply(flags)),
				),
			),
		),
	)
		.option('--yes', 'keep it at once, unconfirmed')
		.option('--json', 'print the outcome as JSON');

	add('confirm', 'keep the change that waits', async (flags, word) =>
		print(await (await import('./confirm.ts')).confirm(word, flags)),
	)
		.addArgument(
			wordArgument('[keep]', 'the word keep, where this session itself made the change', ['keep']),
		)
		.option('--json', 'print the outcome as JSON');

	add('undo', 'put back what was there before the last change', async (flags) =>
		print(await (await import('./undo.ts')).undo(flags)),
	)
		.option('--list', 'list the changes')
		.option('--to <id>', 'put back what was there before this change')
		.option('--all', 'remove every trace of fw-wizard')
		.option('--yes', 'also where that shuts the door through which you are connected')
		.option('--json', 'print the outcome as JSON');

	withPolicyOptions(
		add('prove', 'send a packet to every port; say which pass', async (flags) => {
			const {text, proven} = await (await import('./prove.ts')).proveCommand(flags);
			print(text);
			return proven ? 0 : 1;
		}),
	)
		.addOption(wordOption('--of <rules>', 'the rules to prove', SUBJECTS).default('planned'))
		.option('--nmap <file>', 'hold the XML output of an nmap scan against the policy')
		.option('--from <address>', 'with --nmap: the address that the scan was made from')
		.option('--json', 'print the proof as JSON');

	withExistingOptions(
		withPolicyOptions(
			add(
				'exposure',
				'what the outside can reach now, and what it could with a policy',
				async (flags) => {
					const {text, known} = await (await import('./exposure.ts')).exposure(flags);
					print(text);
					return known ? 0 : 3;
				},
			),
		),
	)
		.addOption(
			repeatable(
				new Option(
					'--packet <packet>',
					'only what becomes of a packet, as "tcp 80 from 192.0.2.7"; repeatable',
				),
			),
		)
		.option('--json', 'print it as JSON');

	add('facts', 'print what was found out about this machine, for bug reports', async (flags) =>
		print(await (await import('./facts.ts')).facts(flags)),
	)
		.option('--json', 'print it as JSON')
		.option('--mask', 'give addresses other names, each always the same');

	add('check', 'is it what was applied, and will it be after a boot?', async (flags) => {
		const {text, well} = await (await import('./check.ts')).check(flags);
		print(text);
		return well ? 0 : 1;
	})
		.option('--fix', 'mend what is ours to mend')
		.option('--full', 'try every port of the next boot, not only where its rules change')
		.addOption(wordOption('--tick <what>', 'tick off what only you can see', TICKS))
		.option('--json', 'print the checklist as JSON');

	add('watch', 'watch over the loaded rules, and say what was found', async (flags, what) => {
		const {text, well} = await (await import('./watch.ts')).watch(what, flags);
		print(text);
		return well ? 0 : 1;
	})
		.addArgument(wordArgument('[what]', 'on, off, or how it is now', WATCH_WORDS))
		.option('--repair', 'load the rules again where they are gone, at any time')
		.option('--every <time>', 'how often to look, from 1min to 60min (default 5min)')
		.option('--json', 'print it as JSON');

	withPolicyOptions(
		add('export', 'print a policy for another machine, in another form', async (flags, form) =>
			print((await import('./export.ts')).exportPolicy(form, flags)),
		).addArgument(wordArgument('<form>', 'the other form', EXPORTS)),
	).option('--json', 'print it with the policy as JSON');

	add('completion', 'print what completes its words in a shell', async (_, shell) => {
		const {printCompletion} = await import('./help/completion.ts');
		const {readSyntax} = await import('./help/command-tree.ts');
		return print(printCompletion(shell, readSyntax(root)));
	}).addArgument(wordArgument('<shell>', 'the shell', SHELLS));

	add('man', 'print the manual page: fw-wizard man | man -l -', async () => {
		const {printManual} = await import('./help/man-page.ts');
		const {readSyntax} = await import('./help/command-tree.ts');
		return print(printManual(readSyntax(root), FW_WIZARD_VERSION));
	});
}
