import {Command, Option} from 'commander';
import {distance} from 'fastest-levenshtein';
import type {StartWizard} from '../app/wizard-request.ts';
import {hasIptables} from '../host/netfilter/backend.ts';
import {InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {BOOT_CHOICES} from '../persistence/init-system.ts';
import {parseWord} from '../policy/policy.ts';
import {withExistingOptions, withSwitchOff} from './options/existing.ts';
import {withPolicyOptions} from './options/policy.ts';
import {EXPORTS, SHELLS} from './options/values.ts';
import {report} from './report.ts';
import {flagsOf, print, rehearsed} from './run-action.ts';
import type {WizardFlags} from './wizard.ts';

/** Loads what runs the wizard. Only the wizard needs it, and it takes longer to load than the rest. */
export type LoadWizard = () => Promise<{readonly startWizard: StartWizard}>;

/**
 * Runs the command that the arguments name.
 * @returns the exit code: 0 done, 1 a difference, 2 usage, 3 not possible here, 4 rolled back
 */
export async function main(argv: readonly string[], loadWizard: LoadWizard): Promise<number> {
	let exitCode = 0;
	try {
		const setExitCode = (code: number) => {
			exitCode = code;
		};
		await program(argv[2] ?? '', setExitCode, loadWizard).parseAsync(argv);
		return exitCode;
	} catch (error) {
		return report(error);
	}
}

/** What a command does with its flags and its argument; gives the exit code. */
type Action = (flags: never, word?: string) => Promise<number>;

/**
 * The command line; where its first word is a command, with that one alone, since to make them all
 * takes longer than to make a rule set.
 */
function program(
	word: string,
	setExitCode: (code: number) => void,
	loadWizard: LoadWizard,
): Command {
	const root = new Command('fw-wizard')
		.description(
			'Gives this machine a host firewall, and proves it. Without a command: the wizard.',
		)
		.version(FW_WIZARD_VERSION, '--version', 'print the version')
		.helpOption('-h, --help', 'print help')
		.helpCommand(false)
		.exitOverride()
		.configureOutput({outputError: () => {}})
		.enablePositionalOptions();
	const add = (command: Command, action: Action, first: () => Promise<void> = async () => {}) =>
		command
			.option('--rehearse', 'do it in a private copy of this machine; no root, nothing changes')
			.allowExcessArguments(false)
			.action(async (...args: unknown[]) => {
				const called = args.at(-1) as Command;
				const flags = flagsOf(called, root);
				const run = async () => action(flags as never, called.args[0]);
				setExitCode(await rehearsed(flags, run, first));
			});
	const command = (name: string, description: string) =>
		root
			.command(name)
			.description(description)
			.exitOverride()
			.helpOption('-h, --help', 'print help');

	const withConfirmation = (command: Command) =>
		command
			.option('--confirm-within <seconds>', 'roll back unless confirmed in this time (default 60)')
			.option('--boot <way>', `what loads the rules at boot: ${BOOT_CHOICES.join(', ')}`);

	const text = (called: Command, printText: (word: string) => Promise<string>) =>
		called.allowExcessArguments(false).action(async (...args: unknown[]) => {
			flagsOf(args.at(-1) as Command, root);
			print(await printText(`${args[0]}`));
		});
	const commands: Readonly<Record<string, () => unknown>> = {
		rules: () =>
			add(
				withSwitchOff(
					withPolicyOptions(command('rules', 'print the rule set of a policy')),
					'as if ufw or firewalld were switched off',
				)
					.option('--format <format>', 'restore, commands or json', 'restore')
					.option('--json', 'the same as --format json'),
				async (flags) => {
					const {printRules} = await import('./rules.ts');
					return print(await printRules(flags));
				},
			),
		apply: () =>
			add(
				withConfirmation(
					withExistingOptions(
						withPolicyOptions(command('apply', 'apply a policy without questions')),
					),
				)
					.option('--yes', 'keep it at once, unconfirmed')
					.option('--json', 'print the outcome as JSON'),
				async (flags) => {
					const {apply} = await import('./apply.ts');
					return print(await apply(flags));
				},
			),
		confirm: () =>
			add(
				command('confirm', 'keep the change that waits')
					.argument('[keep]', 'the word keep, where this session itself made the change')
					.option('--json', 'print the outcome as JSON'),
				async (flags, word) => {
					const {confirm} = await import('./confirm.ts');
					return print(await confirm(word, flags));
				},
			),
		undo: () =>
			add(
				command('undo', 'put back what was there before the last change')
					.option('--list', 'list the changes')
					.option('--to <id>', 'put back what was there before this change')
					.option('--all', 'remove every trace of fw-wizard')
					.option('--yes', 'also where that shuts the door through which you are connected')
					.option('--json', 'print the outcome as JSON'),
				async (flags) => {
					const {undo} = await import('./undo.ts');
					return print(await undo(flags));
				},
			),
		prove: () =>
			add(
				withPolicyOptions(command('prove', 'send a packet to every port; say which pass'))
					.option('--of <rules>', 'planned, running or boot (default planned)')
					.option('--nmap <file>', 'hold the XML output of an nmap scan against the policy')
					.option('--from <address>', 'with --nmap: the address that the scan was made from')
					.option('--json', 'print the proof as JSON'),
				async (flags) => {
					const {proveCommand} = await import('./prove.ts');
					const {text, proven} = await proveCommand(flags);
					print(text);
					return proven ? 0 : 1;
				},
			),
		exposure: () =>
			add(
				withExistingOptions(
					withPolicyOptions(
						command('exposure', 'what the outside can reach now, and what it could with a policy'),
					),
				).option('--json', 'print it as JSON'),
				async (flags) => {
					const {exposure} = await import('./exposure.ts');
					const {text, known} = await exposure(flags);
					print(text);
					return known ? 0 : 3;
				},
			),
		facts: () =>
			add(
				command('facts', 'print what was found out about this machine, for bug reports')
					.option('--json', 'print it as JSON')
					.option('--mask', 'give addresses other names, each always the same'),
				async (flags) => {
					const {facts} = await import('./facts.ts');
					return print(await facts(flags));
				},
			),
		check: () =>
			add(
				command('check', 'is it what was applied, and will it be after a boot?')
					.option('--fix', 'mend what is ours to mend')
					.option('--full', 'try every port of the next boot, not only where its rules change')
					.option('--tick <what>', 'tick off what only you can see: scanned, way-in')
					.option('--json', 'print the checklist as JSON'),
				async (flags) => {
					const {check} = await import('./check.ts');
					const {text, well} = await check(flags);
					print(text);
					return well ? 0 : 1;
				},
			),
		export: () =>
			add(
				withPolicyOptions(command('export', 'print a policy for another machine, in another form'))
					.argument('<form>', EXPORTS.join(', '))
					.option('--json', 'print it with the policy as JSON'),
				async (flags, word) => {
					const {exportPolicy} = await import('./export.ts');
					return print(exportPolicy(`${word}`, flags));
				},
			),
		completion: () =>
			text(
				command('completion', 'print what completes its words in a shell').argument(
					'<shell>',
					SHELLS.join(', '),
				),
				async (word) => {
					const [{printCompletion}, {readSyntax}] = await Promise.all([
						import('./help/completion.ts'),
						import('./help/command-tree.ts'),
					]);
					return printCompletion(
						parseWord(word, SHELLS, 'shell'),
						readSyntax(program('', setExitCode, loadWizard)),
					);
				},
			),
		man: () =>
			text(command('man', 'print the manual page: fw-wizard man | man -l -'), async () => {
				const [{printManual}, {readSyntax}] = await Promise.all([
					import('./help/man-page.ts'),
					import('./help/command-tree.ts'),
				]);
				return printManual(readSyntax(program('', setExitCode, loadWizard)), FW_WIZARD_VERSION);
			}),
	};
	const wizard = () =>
		add(
			withConfirmation(withExistingOptions(withPolicyOptions(root)))
				.option('--no-color', 'no colour')
				// By which the wizard hands itself over to root.
				.addOption(new Option('--at-apply').hideHelp()),
			async (flags: WizardFlags) => {
				const {wizard: run} = await import('./wizard.ts');
				const {startWizard} = await loadWizard();
				return run(flags, startWizard);
			},
			async () => {
				if (!hasIptables()) {
					const {offerInstall} = await import('./offer-install.ts');
					await offerInstall();
				}
			},
		);
	const asked = Object.hasOwn(commands, word) ? commands[word] : undefined;
	if (/^\w/.test(word) && asked === undefined) {
		const names = Object.keys(commands);
		const near = names.find((name) => distance(name, word) <= 2 || word.startsWith(name));
		throw new InputError(
			`"${printable(word, 40)}" is not a command`,
			near === undefined ? `Write one of: ${names.join(', ')}` : `Did you mean ${near}?`,
		);
	}

	for (const make of asked ? [asked] : [wizard, ...Object.values(commands)]) {
		make();
	}

	return root;
}
