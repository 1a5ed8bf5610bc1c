import {Command} from 'commander';
import {beforeEach, describe, expect, test, vi} from 'vitest';
import {addCommands} from '../../source/commands/add-commands.ts';
import {examplesOf, helpExamples} from '../../source/commands/help/examples.ts';
import {withConfirmationOptions} from '../../source/commands/options/confirmation.ts';
import {withHostOptions} from '../../source/commands/options/host.ts';
import {withPolicyOptions} from '../../source/commands/options/policy.ts';
import {parseShell} from '../../source/lib/parse-shell.ts';

let ran: string[] = [];

/** All commands, each of which only notes its name. */
function program(): Command {
	const root = new Command('fw-wizard').exitOverride().configureOutput({outputError: () => {}});
	withConfirmationOptions(withPolicyOptions(root.enablePositionalOptions()));
	addCommands(root, (command) => command.action(() => void ran.push(command.name())));
	root.action(() => void ran.push(''));
	for (const command of [root, ...root.commands]) {
		withHostOptions(command).option('--rehearse');
	}

	return root;
}

const NAMES = ['', ...program().commands.map((command) => command.name())];

beforeEach(() => {
	ran = [];
	vi.stubGlobal('FW_WIZARD_VERSION', '1.2.3');
});

describe.each(NAMES)('fw-wizard %s', (name) => {
	test('has two or three examples, which the program takes as they are', async () => {
		const examples = examplesOf(name);
		expect(examples.length).toBeGreaterThanOrEqual(2);
		expect(examples.length).toBeLessThanOrEqual(3);
		for (const {args} of examples) {
			const [command] = parseShell(`fw-wizard ${args}`).commands;
			await program().parseAsync([...(command?.words.slice(1) ?? [])], {from: 'user'});
		}

		expect(ran).toEqual(examples.map(() => name));
	});

	test('shows each in its help', () => {
		for (const {args, does} of examplesOf(name)) {
			expect(helpExamples(name)).toContain(`  ${does}:\n    fw-wizard ${args}`.trimEnd());
		}
	});
});
