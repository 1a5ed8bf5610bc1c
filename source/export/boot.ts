import type {FilePlan, PlannedFile} from '../change/boot-files.ts';
import {
	COMMAND_FILE,
	FLOOR_FILE,
	OLD_RULES_FILES,
	POLICY_FILE,
	RESTORE_FILE,
	WATCH_CHOICE_FILE,
	WATCH_FILE,
	WATCH_MOTD_FILE,
} from '../change/paths.ts';
import {programOf} from '../host/netfilter/iptables.ts';
import {systemd} from '../persistence/init/systemd.ts';
import {deactivation, inTurn, planBootFiles, removalOf} from '../persistence/plan.ts';
import {USUAL_WATCH} from '../persistence/watch/choice.ts';
import {beginWatch} from '../persistence/watch/plan-watch.ts';
import type {Policy} from '../policy/policy.ts';
import {printPolicy} from '../policy/print-policy.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';

/** The files of an exported firewall on a machine that boots with systemd, and how they are removed. */
export type BootPlan = {readonly keep: FilePlan; readonly remove: FilePlan};

/**
 * The same files as a confirmed change writes. Only the programs have no path: they lie elsewhere on
 * another machine, and the scripts set their own PATH. The watch begins with the usual times; what the user of that
 * machine says of it stays in its file.
 */
export function planForOthers(compiled: CompiledPolicy): BootPlan {
	const boot = planBootFiles(systemd, compiled, programOf);
	const watch = beginWatch(systemd.watch, USUAL_WATCH.every, compiled.ruleSet, programOf);
	const own = [
		POLICY_FILE,
		RESTORE_FILE,
		FLOOR_FILE,
		WATCH_FILE,
		WATCH_CHOICE_FILE,
		WATCH_MOTD_FILE,
		COMMAND_FILE,
		...OLD_RULES_FILES,
	];
	const removal = removalOf([systemd], deactivation(systemd));
	return {
		keep: {
			...inTurn(boot, watch),
			files: {
				[POLICY_FILE]: {text: printPolicy(withoutFiles(compiled.policy)), mode: 0o600},
				...boot.files,
				...watch.files,
			},
		},
		remove: {
			...removal,
			files: {...removal.files, ...Object.fromEntries(own.map((file) => [file, null]))},
		},
	};
}

/** The same policy, where the files of its groups of sources are not there: their networks are in it. */
function withoutFiles(policy: Policy): Policy {
	const sources = policy.sources?.map(({name, networks}) => ({name, networks}));
	return sources === undefined ? policy : {...policy, sources};
}

/** The files that a plan writes, with their modes as chmod(1) takes them: `0600`. */
export function writtenFiles({
	files,
}: FilePlan): ReadonlyArray<{readonly file: string; readonly text: string; readonly mode: string}> {
	return Object.entries(files)
		.filter((entry): entry is [string, PlannedFile] => entry[1] !== null)
		.map(([file, {text, mode}]) => ({file, text, mode: mode.toString(8).padStart(4, '0')}));
}
