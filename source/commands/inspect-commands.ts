import {Option} from 'commander';
import {TICKS} from '../checklist/checklist-item.ts';
import type {CommandShape} from './command-shape.ts';
import {withExistingOptions} from './options/existing.ts';
import {withPolicyOptions} from './options/policy.ts';
import {
	EXPORTS,
	repeatable,
	SCHEMA_NAMES,
	SUBJECTS,
	WATCH_WORDS,
	wordArgument,
	wordOption,
} from './options/words.ts';

/** The commands that look at this machine, watch it, report on it, and print a policy in other forms. */
export const INSPECT_COMMANDS: readonly CommandShape[] = [
	{
		name: 'prove',
		description: 'send a packet to every port, and show which pass',
		action: async (flags) => (await import('./prove.ts')).proveCommand(flags),
		shape: (command) =>
			withPolicyOptions(command)
				.addOption(wordOption('--of <rules>', 'the rules to prove', SUBJECTS).default('planned'))
				.option('--nmap <file>', 'compare the XML output of an nmap scan to the policy')
				.option('--from <address>', 'with --nmap: the address that the scan was made from')
				.option('--json', 'print the proof as JSON'),
	},
	{
		name: 'exposure',
		description: 'what the outside can reach now, and what it could with a policy',
		action: async (flags) => (await import('./exposure.ts')).exposure(flags),
		shape: (command) =>
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
	},
	{
		name: 'facts',
		description: 'print what is known of this machine, for bug reports',
		action: async (flags) => (await import('./facts.ts')).facts(flags),
		shape: (command) =>
			command
				.option('--json', 'print it as JSON')
				.option('--mask', 'give addresses other names, each always the same'),
	},
	{
		name: 'check',
		description: 'check the running rules and those of the next boot',
		action: async (flags) => (await import('./check.ts')).check(flags),
		shape: (command) =>
			command
				.option('--fix', 'repair the rules and files of fw-wizard')
				.option(
					'--full',
					'try every port with the rules of the next boot, not only where rules begin or end',
				)
				.addOption(wordOption('--tick <what>', 'note what only you can see', TICKS))
				.option('--json', 'print the checklist as JSON'),
	},
	{
		name: 'status',
		description: 'print whether the firewall is active, and what is open',
		action: async (flags) => (await import('./status.ts')).status(flags),
		shape: (command) => command.option('--json', 'print it as JSON'),
	},
	{
		name: 'why',
		description: 'say whether a port is open to an address, and which rule decides',
		action: async (flags, words) => (await import('./why.ts')).why(words, flags),
		shape: (command) =>
			command
				.argument('<packet...>', 'a port, or an address and a port: 22/tcp, 198.51.100.7 443')
				.option('--on <interface>', 'the interface on which the packet arrives')
				.option('--prove', 'send such a packet in a copy of this machine as well')
				.option('--json', 'print it as JSON'),
	},
	{
		name: 'diff',
		description: 'show what opens and closes from one policy to another',
		action: async (flags, words) => (await import('./diff.ts')).diff(words, flags),
		shape: (command) =>
			command
				.argument(
					'[sides...]',
					'two of: applied, running, the number of a change, a policy file (default: applied running)',
				)
				.option('--json', 'print it as JSON'),
	},
	{
		name: 'log',
		description: 'print what was blocked: by port and by source',
		action: async (flags) => (await import('./log.ts')).log(flags),
		shape: (command) =>
			command
				.option('--since <time>', 'how far back in the log: 30min, 1h, 2d (default 24h)')
				.option('--follow', 'print each packet as it is logged, until Ctrl-C')
				.option('--json', 'print it as JSON; with --follow, one object a line'),
	},
	{
		name: 'watch',
		description: 'watch the loaded rules, and show what was found',
		action: async (flags, what) => (await import('./watch.ts')).watch(what, flags),
		shape: (command) =>
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
	},
	{
		name: 'report',
		description: 'print the state of this firewall, or of many, for an audit',
		action: async (flags) => (await import('./report.ts')).report(flags),
		shape: (command) =>
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
	},
	{
		name: 'export',
		description: 'print a policy for another machine, in another form',
		action: async (flags, form) => (await import('./export.ts')).exportPolicy(form, flags),
		shape: (command) =>
			withPolicyOptions(command.addArgument(wordArgument('<form>', 'the other form', EXPORTS)))
				.option('--role-dir <folder>', 'write a role of Ansible into this folder')
				.option('--json', 'print it with the policy as JSON'),
	},
	{
		name: 'schema',
		description: 'print the JSON Schema of a policy file, or of what --json prints',
		action: async (_, name) => (await import('./schema.ts')).printSchema(name),
		shape: (command) =>
			command.addArgument(wordArgument('<name>', 'what the schema describes', SCHEMA_NAMES)),
	},
];
