import type {Facts} from '../host/machine/facts.ts';
import {completePolicy} from '../policy/policy.ts';
import {type Demonstration, demonstrateVerdicts} from '../proof/demonstrate-verdicts.ts';
import {prove} from '../proof/prove.ts';
import type {Proof} from '../proof/report.ts';
import {type Observation, type Progress, sweep} from '../proof/sweep.ts';
import {planForPolicy} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {plannedSource, type RulesUnderTest} from '../testbed/load-rules.ts';
import {withTestbed} from '../testbed/testbed.ts';

/** Proves rule sets on a copy of this machine. */
export type Prover = {
	readonly prove: (
		compiled: CompiledPolicy,
		onProgress: (progress: Progress) => void,
	) => Promise<Proof>;
	/** The same without any rule: what a scan would find now. */
	readonly proveBefore: () => Promise<readonly Observation[]>;
	readonly demonstrate: () => Promise<Demonstration>;
};

/** Proves rule sets on copies of this machine. */
export function makeProver(facts: Facts): Prover {
	return {
		prove: async (compiled, onProgress) =>
			proveOn(facts, compiled, plannedSource(compiled.ruleSet), onProgress),
		demonstrate: async () => demonstrateVerdicts(facts.interfaces),
		async proveBefore() {
			const nothing = completePolicy({role: 'workstation'});
			const {vantagePoints} = await planForPolicy(nothing, facts.interfaces, undefined);
			const mine = vantagePoints.filter(({family}) => facts.families.includes(family));
			return withTestbed(facts.interfaces, mine, async (testbed) => sweep(testbed, mine));
		},
	};
}

/** Proves rules against a policy, with the remote client of the session as one of the vantage points. */
export async function proveOn(
	facts: Facts,
	compiled: CompiledPolicy,
	source: RulesUnderTest,
	onProgress: (progress: Progress) => void,
): Promise<Proof> {
	return prove({
		...compiled,
		source,
		interfaces: facts.interfaces,
		remoteClient: facts.session.kind === 'remote' ? facts.session : undefined,
		onProgress,
	});
}
