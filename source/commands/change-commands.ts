import type {CommandShape} from './command-shape.ts';
import {withConfirmationOptions, withEditOptions} from './options/confirmation.ts';
import {withExistingOptions, withSwitchOff} from './options/existing.ts';
import {withPolicyOptions} from './options/policy.ts';
import {sourceOption} from './options/sources.ts';
import {FORMATS, wordArgument, wordOption} from './options/words.ts';

/** The commands that make rules, change those of this machine, and undo that. */
export const CHANGE_COMMANDS: readonly CommandShape[] = [
	{
		name: 'rules',
		description: 'print the rule set of a policy',
		action: async (flags) => (await import('./rules.ts')).printRules(flags),
		shape: (command) =>
			withSwitchOff(withPolicyOptions(command), 'as if ufw or firewalld were switched off')
				.addOption(
					wordOption('--format <format>', 'the form of the rules', FORMATS).default('restore'),
				)
				.option('--json', 'the same as --format json'),
	},
	{
		name: 'apply',
		description: 'apply a policy without questions',
		action: async (flags) => (await import('./apply.ts')).apply(flags),
		shape: (command) =>
			withConfirmationOptions(withExistingOptions(withPolicyOptions(command)))
				.option('--yes', 'save the change at once, without a new login')
				.option('--json', 'print the outcome as JSON'),
	},
	{
		name: 'open',
		description: 'open ports in the policy that was applied, and apply it',
		action: async (flags, words) => (await import('./open.ts')).open(words, flags),
		shape: (command) =>
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
	},
	{
		name: 'close',
		description: 'close ports in the policy that was applied, and apply it',
		action: async (flags, words) => (await import('./close.ts')).close(words, flags),
		shape: (command) =>
			withEditOptions(
				command.argument(
					'<opening...>',
					'what to close: 8080/tcp, ssh; with "from": for these sources and what is in them',
				),
			),
	},
	{
		name: 'confirm',
		description: 'confirm the change that waits',
		action: async (flags, word) => (await import('./confirm.ts')).confirm(word, flags),
		shape: (command) =>
			command
				.addArgument(
					wordArgument('[keep]', 'the word keep, where this session itself made the change', [
						'keep',
					]),
				)
				.option('--json', 'print the outcome as JSON'),
	},
	{
		name: 'undo',
		description: 'restore the rules and files from before the last change',
		action: async (flags) => (await import('./undo.ts')).undo(flags),
		shape: (command) =>
			command
				.option('--list', 'list the changes')
				.option('--to <id>', 'restore what was there before this change')
				.option('--all', 'remove every trace of fw-wizard')
				.option('--yes', 'also where that blocks the connection that you use')
				.option('--json', 'print the outcome as JSON'),
	},
];
