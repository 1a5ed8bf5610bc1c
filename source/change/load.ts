import {HostError} from '../host/errors.ts';
import {describeFailure, type RestoreFailure, restore, type Saved, save} from '../host/iptables.ts';
import {loadModules} from '../host/modules.ts';
import type {Runner} from '../host/run.ts';
import type {Family} from '../policy/network.ts';
import type {Policy} from '../policy/policy.ts';
import {printable} from '../policy/printable.ts';
import {withNamespace} from '../proof/namespace.ts';
import {compareRules, describeDifference, ownRules, presenceOf} from '../ruleset/compare.ts';
import {printRestore} from '../ruleset/print.ts';
import type {FamilyRules, RuleSet} from '../ruleset/ruleset.ts';

/** The rules of each family as they were before. */
export type Before = ReadonlyMap<Family, Saved>;

/** Reads what is there now, for the families of a rule set. @throws {HostError} */
export async function readRules(ruleSet: RuleSet): Promise<Before> {
	const saves = await Promise.all(ruleSet.families.map(({family}) => save(family)));
	return new Map(saves.map((saved) => [saved.rules.family, saved]));
}

/**
 * Loads the rule set in a throw-away namespace and reads it back. iptables-restore --test lets
 * unknown helpers and targets pass; this does not.
 * @throws {HostError} that names the family and the line at fault; nothing was touched
 */
export async function dryRun(ruleSet: RuleSet): Promise<void> {
	await withNamespace(async (namespace) => {
		for (const rules of ruleSet.families) {
			const text = printRestore(rules);
			const failure = await restore(rules.family, text, namespace.run);
			if (failure) {
				const line = await findCulprit(failure, text, namespace.run);
				throw new HostError(
					`This kernel does not take the rules. ${describeFailure({...failure, line})}`,
					'Nothing was changed. If the line names a helper, choose the policy without it',
				);
			}

			const loaded = await save(rules.family, namespace.run);
			assertLoaded(rules, loaded, 'Nothing was changed', 3);
		}
	});
}

/**
 * The line at fault. The legacy backend names only the COMMIT of a table that the kernel refuses:
 * then each rule of that table is tried alone, in the throw-away namespace.
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
 * Loads the rule set into the running kernel: one restore a family, into our own chains, and reads
 * it back. Loading it twice changes nothing. After an error the caller rolls back.
 * @throws {HostError} with exit code 4
 */
export async function load(ruleSet: RuleSet, policy: Policy, before: Before): Promise<void> {
	await loadModules(policy.helpers);
	for (const rules of ruleSet.families) {
		const saved = before.get(rules.family);
		const present = saved ? presenceOf(saved.rules) : undefined;
		const failure = await restore(rules.family, printRestore(rules, present));
		if (failure) {
			throw new HostError(describeFailure(failure), ROLLED_BACK, 4);
		}
	}

	for (const rules of ruleSet.families) {
		assertLoaded(rules, await save(rules.family), ROLLED_BACK, 4);
	}
}

const ROLLED_BACK = 'Rolled back. The rules are as they were before';

function assertLoaded(rules: FamilyRules, saved: Saved, hint: string, exitCode: 3 | 4): void {
	const [difference] = compareRules(rules, ownRules(saved.rules));
	if (difference) {
		throw new HostError(
			`The kernel holds other rules than were loaded. ${printable(describeDifference(difference), 200)}`,
			hint,
			exitCode,
		);
	}
}
