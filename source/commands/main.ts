import {Command, Option} from 'commander';
import type {StartWizard} from '../app/wizard-request.ts';
import {addCommands} from './add-commands.ts';
import {helpExamples} from './help/examples.ts';
import {withConfirmationOptions} from './options/confirmation.ts';
import {withExistingOptions} from './options/existing.ts';
import {withHostOptions} from './options/host.ts';
import {withPolicyOptions} from './options/policy.ts';
import {printFailure} from './print-failure.ts';
import {type Act, flagsOf, print, rehearsed, requireLinux} from './run-action.ts';

/** Loads what runs the wizard. Only the wizard needs it, and it takes longer to load than the rest. */
type LoadWizard = () => Promise<{readonly startWizard: StartWizard}>;

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
		await program(argv, setExitCode, loadWizard).parseAsync(argv);
		return exitCode;
	} catch (error) {
		return printFailure(error, argv.slice(2));
	}
}

/** The command line of the wizard and of all commands. */
function program(
	argv: readonly string[],
	setExitCode: (code: number) => void,
	loadWizard: LoadWizard,
): Command {
	const [, , first] = argv;
	const root = new Command('fw-wizard')
		.description(
			'Sets up a host firewall, and proves it with packets. Without a command: the wizard.',
		)
		.version(FW_WIZARD_VERSION, '-V, --version', 'print the version')
		.helpOption('-h, --help', 'print help')
		.helpCommand(false)
		.exitOverride()
		.configureOutput({outputError: () => {}})
		.allowExcessArguments(false)
		.enablePositionalOptions();
	const act: Act = (command, action, before) =>
		command.action(async (...args: readonly unknown[]) => {
			const called = args.at(-1) as Command;
			const flags = flagsOf(called, root);
			const name = called === root ? '' : called.name();
			if (flags.host ?? flags.install ?? flags.node) {
				const {onServer} = await import('./host.ts');
				setExitCode(await onServer(name, flags, argv.slice(2)));
				return;
			}

			requireLinux(name, flags);
			const [word] = called.processedArgs;
			const run = async () => print(await action(flags as never, word as never));
			setExitCode(await rehearsed(flags, run, before));
		});
	const commands = addCommands(root, act, first);
	withConfirmationOptions(withExistingOptions(withPolicyOptions(root)))
		.option('--no-color', 'no color')
		// The wizard gives it when it hands itself over to root.
		.addOption(new Option('--at-apply').hideHelp());
	for (const command of [root, ...commands]) {
		withHostOptions(command)
			.option(
				'--rehearse',
				'run in a private copy of this machine: no root needed, nothing changes',
			)
			.addHelpText('after', () => helpExamples(command === root ? '' : command.name()));
	}

	// A word that is no command: as long as the root has no action, commander suggests a similar command.
	return first === undefined || first.startsWith('-')
		? act(
				root,
				async (flags) => {
					const {wizard} = await import('./wizard.ts');
					return {text: '', code: await wizard(flags, (await loadWizard()).startWizard)};
				},
				async () => {
					const {hasIptables} = await import('../host/netfilter/backend.ts');
					if (!hasIptables()) {
						await (await import('./offer-install.ts')).offerInstall();
					}
				},
			)
		: root;
}
