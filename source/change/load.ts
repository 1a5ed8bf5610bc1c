import {printLoad} from '../existing/cleanup-format.ts';
import type {Cleanup} from '../existing/cleanup-plan.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import {type Runner, run} from '../host/exec/run.ts';
import {yieldToEventLoop} from '../host/exec/yield.ts';
import {
	describeFailure,
	type RestoreFailure,
	restore,
	type Saved,
	save,
} from '../host/netfilter/iptables.ts';
import {withNamespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {settled} from '../lib/settled.ts';
import {ownDifferences, presenceOf} from '../ruleset/diff.ts';
import {printRestore} from '../ruleset/format-iptables.ts';
import type {FamilyRules, RuleSet} from '../ruleset/model.ts';

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
 * Loads the rules of a family in an isolated namespace and reads them back, step by step, to name the fault.
 * @throws {HostError} that names the line at fault; nothing was touched
 */
export async function tryByStep(rules: FamilyRules): Promise<void> {
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
		assertLoaded(rules, loaded.rules, 'Nothing was changed', 3);
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
 * @param meanwhile done once all is loaded, while it is read back
 * @returns the rules that were read back
 * @throws {HostError} with exit code 4, when nothing is being loaded any more
 */
export async function load(
	ruleSet: RuleSet,
	before: Before,
	cleanups: readonly Cleanup[] = [],
	runner: Runner = run,
	meanwhile: () => void = () => {},
): Promise<readonly Saved[]> {
	const cleanupsWhere = (family: Family) =>
		cleanups.find((cleanup) => cleanup.inUse && cleanup.family === family);
	const loads = ruleSet.families.map(async (rules) => {
		const saved = before.get(rules.family);
		const text = printLoad(
			rules,
			saved ? presenceOf(saved.rules) : undefined,
			cleanupsWhere(rules.family),
		);
		const failure = await restore(rules.family, text, runner);
		if (failure) {
			throw new HostError(describeFailure(failure), ROLLED_BACK, 4);
		}
	});
	await settled(loads);
	const saves = ruleSet.families.map(async (rules) => {
		const found = await save(rules.family);
		assertLoaded(rules, found.rules, ROLLED_BACK, 4);
		return found;
	});
	const [loaded] = await Promise.all([settled(saves), yieldToEventLoop().then(meanwhile)]);
	return loaded;
}

export const ROLLED_BACK = 'Rolled back. The rules are as they were before';

/** @throws {HostError} where our rules among those that were read back are others */
export function assertLoaded(
	rules: FamilyRules,
	found: FamilyRules,
	hint: string,
	exitCode: 3 | 4,
): void {
	const [difference] = ownDifferences(rules, found);
	if (difference) {
		throw new HostError(
			`The kernel holds other rules than were loaded. ${difference}`,
			hint,
			exitCode,
		);
	}
}
