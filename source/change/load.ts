import {printLoad} from '../existing/cleanup-format.ts';
import type {Cleanup} from '../existing/cleanup-plan.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import {type Runner, run} from '../host/exec/run.ts';
import {freshNetwork} from '../host/machine/modules.ts';
import {
	describeFailure,
	programOf,
	type RestoreFailure,
	restore,
	type Saved,
	save,
} from '../host/netfilter/iptables.ts';
import {withNamespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {ownDifferences, presenceOf} from '../ruleset/diff.ts';
import {printRestore} from '../ruleset/format-iptables.ts';
import type {FamilyRules, RuleSet} from '../ruleset/model.ts';
import {parseSave} from '../ruleset/parse-save.ts';

/** The rules of each family before the change. */
export type Before = ReadonlyMap<Family, Saved>;

/** Reads the rules that are loaded now, for the families of a rule set. @throws {HostError} */
export async function readRules(ruleSet: RuleSet): Promise<Before> {
	const saves = await Promise.all(ruleSet.families.map(({family}) => save(family)));
	return new Map(saves.map((saved) => [saved.rules.family, saved]));
}

/** The snapshots of the backend into which the rules are loaded. */
export function beforeOf(snapshots: readonly RulesSnapshot[]): Before {
	return new Map(
		snapshots.filter(({inUse}) => inUse).map((snapshot) => [snapshot.family, snapshot]),
	);
}

/**
 * Loads the rule set in isolated namespaces, one for each family, and reads it back.
 * iptables-restore --test lets unknown helpers and targets pass; this does not.
 * @throws {HostError} that names the family and the line at fault; nothing was touched
 */
export async function dryRun(ruleSet: RuleSet): Promise<void> {
	const trials = await Promise.all(ruleSet.families.map(async (rules) => holdsWhenTried(rules)));
	for (const [index, rules] of ruleSet.families.entries()) {
		if (!trials[index]) {
			await tryByStep(rules);
		}
	}
}

/**
 * Loads and reads back in a new namespace, with one program start. It does nothing where that namespace
 * turns out to be the one of this process.
 */
const TRY = `[ /proc/self/ns/net -ef "/proc/$PPID/ns/net" ] && exit 1
"$1" -w 10 --noflush && exec "$2"`;

async function holdsWhenTried(rules: FamilyRules): Promise<boolean> {
	const programs = ['-restore', '-save'].map((ending) => programOf(rules.family, ending));
	const {status, stdout} = await run(
		'unshare',
		[...freshNetwork(), 'sh', '-c', TRY, 'sh', ...programs],
		{input: printRestore(rules), timeout: 30_000},
	);
	return status === 0 && ownDifferences(rules, parseSave(stdout, rules.family)).length === 0;
}

/** The same step by step, to name the fault. @throws {HostError} */
async function tryByStep(rules: FamilyRules): Promise<void> {
	await withNamespace(async (namespace) => {
		const text = printRestore(rules);
		const failure = await restore(rules.family, text, namespace.run);
		if (failure?.locked) {
			throw new HostError(
				'Another program holds the lock of iptables, and did not release it in time',
				'Nothing was changed. Try again when that program has ended',
			);
		}

		if (failure) {
			const line = await findCulprit(failure, text, namespace.run);
			throw new HostError(
				`This kernel does not take the rules. ${describeFailure({...failure, line})}`,
				'Nothing was changed. If the line names a helper, choose the policy without it',
			);
		}

		const loaded = await save(rules.family, namespace.run);
		assertLoaded(rules, loaded, 'Nothing was changed', 3);
	});
}

/**
 * The line at fault. The legacy backend names only the COMMIT of a table that the kernel refuses:
 * then each rule of that table is tried alone, in the isolated namespace.
 */
async function findCulprit(
	{family, line}: RestoreFailure,
	text: string,
	runner: Runner,
): Promise<string | undefined> {
	if (line !== 'COMMIT') {
		return line;
	}

	for (const table of text.split('COMMIT\n')) {
		const [head = '', ...rest] = table.split('\n');
		const chains = rest.filter((candidate) => candidate.startsWith(':'));
		for (const rule of rest.filter((candidate) => candidate.startsWith('-A'))) {
			const alone = [head, ...chains, rule, 'COMMIT', ''].join('\n');
			if (await restore(family, alone, runner)) {
				return rule;
			}
		}
	}

	return line;
}

/**
 * Loads the rule set into the running kernel, one restore for each family, both at the same time, into
 * the chains of fw-wizard, and reads it back. Rules of other programs are removed in the same
 * transaction. Loading twice changes nothing. After an error the caller rolls back.
 * @returns the rules that were read back
 * @throws {HostError} with exit code 4, when nothing is being loaded any more
 */
export async function load(
	ruleSet: RuleSet,
	before: Before,
	cleanups: readonly Cleanup[] = [],
	runner: Runner = run,
): Promise<readonly Saved[]> {
	const cleanupsWhere = (family: Family) =>
		cleanups.find((cleanup) => cleanup.inUse && cleanup.family === family);
	const loads = await Promise.allSettled(
		ruleSet.families.map(async (rules) =>
			loadFamily(rules, before.get(rules.family), cleanupsWhere(rules.family), runner),
		),
	);
	return loads.map((result) => {
		if (result.status === 'rejected') {
			throw result.reason;
		}

		return result.value;
	});
}

async function loadFamily(
	rules: FamilyRules,
	saved: Saved | undefined,
	cleanup: Cleanup | undefined,
	runner: Runner,
): Promise<Saved> {
	const present = saved ? presenceOf(saved.rules) : undefined;
	const failure = await restore(rules.family, printLoad(rules, present, cleanup), runner);
	if (failure) {
		throw new HostError(describeFailure(failure), ROLLED_BACK, 4);
	}

	const loaded = await save(rules.family);
	assertLoaded(rules, loaded, ROLLED_BACK, 4);
	return loaded;
}

export const ROLLED_BACK = 'Rolled back. The rules are as they were before';

function assertLoaded(rules: FamilyRules, saved: Saved, hint: string, exitCode: 3 | 4): void {
	const [difference] = ownDifferences(rules, saved.rules);
	if (difference) {
		throw new HostError(
			`The kernel holds other rules than were loaded. ${difference}`,
			hint,
			exitCode,
		);
	}
}
