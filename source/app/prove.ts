import type {Existing} from '../existing/cleanup-plan.ts';
import {proveWhole} from '../exposure/prove-whole.ts';
import type {Facts} from '../host/machine/facts.ts';
import {requireIptables} from '../host/netfilter/backend.ts';
import {asHostError, HostError} from '../lib/errors.ts';
import {completePolicy} from '../policy/policy.ts';
import type {Check} from '../proof/checks/check.ts';
import {type Demonstration, demonstrateVerdicts} from '../proof/demonstrate-verdicts.ts';
import type {Proof} from '../proof/report.ts';
import {type Observation, type Progress, sweep} from '../proof/sweep.ts';
import {planForPolicy} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {
	hasOthers,
	plannedSource,
	type RulesUnderTest,
	runningSource,
} from '../testbed/load-rules.ts';
import {sourceAfter} from '../testbed/planned-change.ts';
import {withTestbed} from '../testbed/testbed.ts';
import {type ProvenRules, recordProof} from './last-proof.ts';

/** Proves rule sets on a copy of this machine. */
export type Prover = {
	readonly prove: (
		planned: CompiledPolicy & {readonly existing: Existing},
		onProgress: (progress: Progress) => void,
	) => Promise<Proof>;
	/** The same without any rule: what a scan would find now. */
	readonly proveBefore: () => Promise<readonly Observation[]>;
	readonly demonstrate: () => Promise<Demonstration>;
};

/** Proves rule sets on copies of this machine. */
export function makeProver(facts: Facts): Prover {
	return {
		prove: async (planned, onProgress) =>
			proveOn(facts, planned, await planWhole(facts, planned), onProgress),
		demonstrate: async () => demonstrateVerdicts(facts.interfaces),
		async proveBefore() {
			const nothing = completePolicy({role: 'workstation'});
			const {vantagePoints} = await planForPolicy(nothing, facts.interfaces, undefined);
			const mine = vantagePoints.filter(
				({family, kind}) => facts.families.includes(family) && kind !== 'inside',
			);
			return withTestbed(facts.interfaces, mine, async (testbed) => sweep(testbed, mine));
		},
	};
}

/** Rules to prove, and what of this machine's rules is not among them. */
export type Subject = {
	readonly of: ProvenRules;
	readonly source: RulesUnderTest;
	readonly leftOut: readonly string[];
	/** What is known of them without packets. */
	readonly checks?: readonly Check[];
};

/** The rules of the whole machine once a policy is applied, as far as the running rules can be read. */
export async function planWhole(
	{root, families, iptables}: Facts,
	{ruleSet, existing}: CompiledPolicy & {readonly existing: Existing},
): Promise<Subject> {
	try {
		if (!root) {
			throw new HostError('only root can read them', 'Run as root');
		}

		const running = await runningSource(families, iptables);
		const change = {ruleSet, existing, backend: iptables?.backend};
		const source = hasOthers(running) ? sourceAfter(running, change) : plannedSource(ruleSet);
		return {of: 'planned', source, leftOut: []};
	} catch (error) {
		const leftOut = [`the rules of other programs: ${asHostError(error).message}`];
		return {of: 'planned', source: plannedSource(ruleSet), leftOut};
	}
}

/** All rules that the kernel has now. @throws {HostError} where they cannot be read */
export async function runningSubject(facts: Facts): Promise<Subject> {
	const {iptables} = requireIptables(facts);
	return {of: 'running', source: await runningSource(facts.families, iptables), leftOut: []};
}

/** Proves rules against a policy, and remembers it where that was applied. With the remote client of the session as one of the vantage points. */
export async function proveOn(
	facts: Facts,
	compiled: CompiledPolicy,
	{of, source, leftOut, checks = []}: Subject,
	onProgress: (progress: Progress) => void,
): Promise<Proof> {
	const proof = await proveWhole({
		...compiled,
		source,
		interfaces: facts.interfaces,
		remoteClient: facts.session.kind === 'remote' ? facts.session : undefined,
		onProgress,
	});
	const whole = {
		...proof,
		checks: [...proof.checks, ...checks],
		leftOut: [...leftOut, ...proof.leftOut],
	};
	recordProof(compiled.policy, of, whole);
	return whole;
}
