import {RESTORE_FILE} from '../change/paths.ts';
import {save} from '../host/iptables.ts';
import {firstLine} from '../host/run.ts';
import {printable} from '../policy/printable.ts';
import {withNamespace} from '../proof/namespace.ts';
import {compareRules, describeDifference, ownRules} from '../ruleset/compare.ts';
import type {RuleSet} from '../ruleset/ruleset.ts';

/**
 * Runs what the boot runs, in a throw-away namespace, and compares what it loads with what it should.
 * @returns what is wrong, if anything is
 */
export async function rehearseBoot(ruleSet: RuleSet): Promise<string | undefined> {
	return withNamespace(async (namespace) => {
		const {status, stderr} = await namespace.run('sh', [RESTORE_FILE], {timeout: 30_000});
		if (status !== 0) {
			const said = stderr.split('\n').filter((line) => line.startsWith('fw-wizard:'));
			return printable(said[0] ?? firstLine(stderr) ?? `it ended with ${status}`, 200);
		}

		for (const rules of ruleSet.families) {
			const loaded = await save(rules.family, namespace.run);
			const [difference] = compareRules(rules, ownRules(loaded.rules));
			if (difference) {
				return printable(describeDifference(difference), 200);
			}
		}

		return undefined;
	});
}
