import type {Command} from 'commander';
import {
	CLEANUP_MODES,
	type CleanupMode,
	type Existing,
	MANAGERS,
	type Manager,
	SAVED_CHOICES,
	type SavedChoice,
} from '../../existing/cleanup-plan.ts';
import {repeatable, wordOption} from './words.ts';

/** The flags about the rules of other programs, as commander gives them. */
export type ExistingFlags = {
	readonly existing?: CleanupMode;
	readonly switchOff?: readonly Manager[];
	readonly savedRules?: SavedChoice;
	readonly acceptLosses?: boolean;
};

/** Adds the flags that say which rules of other programs a change removes. */
export function withExistingOptions(command: Command): Command {
	return withSwitchOff(
		command.addOption(
			wordOption(
				'--existing <what>',
				'existing rules of other programs; undo restores them (default keep)',
				CLEANUP_MODES,
			),
		),
		`switch off ${MANAGERS.join(' or ')}, which owns the firewall; undo switches it on again`,
	)
		.addOption(
			wordOption(
				'--saved-rules <what>',
				'edit: also remove these rules from the files that load them at boot; undo restores them. keep: leave the files',
				SAVED_CHOICES,
			),
		)
		.option('--accept-losses', 'switch it off although some of its rules cannot be imported');
}

/**
 * Adds --switch-off. Where no flag names an opening, the policy then starts from the openings of the
 * firewall that is switched off.
 */
export function withSwitchOff(command: Command, description: string): Command {
	return command.addOption(
		repeatable(
			wordOption(
				'--switch-off <name>',
				`${description}. Without --open, what it allows is imported`,
				MANAGERS,
			),
		),
	);
}

/** What a change does with the rules of other programs, by these flags; each program once. */
export function readExisting({
	existing = 'keep',
	switchOff = [],
	savedRules,
	acceptLosses,
}: ExistingFlags): Existing {
	return {
		mode: existing,
		switchOff: [...new Set(switchOff)],
		...(savedRules === undefined ? {} : {saved: savedRules}),
		...(acceptLosses ? {acceptLosses} : {}),
	};
}
