import {type Command, Option} from 'commander';
import {CLEANUP_MODES, type Existing, MANAGERS} from '../../existing/cleanup-plan.ts';
import {parseWord} from '../../policy/policy.ts';

/** The flags that say what becomes of others, as commander gives them. */
export type ExistingFlags = {
	readonly existing?: string;
	readonly switchOff?: readonly string[];
};

/** Adds the flags that say what becomes of rules that are there already. */
export function withExistingOptions(command: Command): Command {
	return withSwitchOff(
		command.addOption(
			new Option(
				'--existing <what>',
				`rules of others that are there: ${CLEANUP_MODES.join(', ')}; undo brings them back (default keep)`,
			),
		),
		`let ${MANAGERS.join(' or ')}, which owns the firewall, be switched off; undo brings it back`,
	);
}

/** Adds the flag by which the policy also starts from what another firewall lets in. */
export function withSwitchOff(command: Command, description: string): Command {
	return command.option(
		'--switch-off <name>',
		`${description}. Without --open, what it lets in is taken over`,
		(name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
	);
}

/** @throws {InputError} */
export function readExisting({existing, switchOff}: ExistingFlags): Existing {
	return {
		mode:
			existing === undefined
				? 'keep'
				: parseWord(existing, CLEANUP_MODES, 'way with rules that are there'),
		switchOff: [
			...new Set(
				(switchOff ?? []).map((name) => parseWord(name, MANAGERS, 'program to switch off')),
			),
		],
	};
}
