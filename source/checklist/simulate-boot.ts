import {firstLine} from '../host/exec/run.ts';
import type {Facts} from '../host/machine/facts.ts';
import {save} from '../host/netfilter/iptables.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {bootCommand} from '../persistence/init/run-restore.ts';
import {withoutLimits} from '../proof/checks/rate-limits.ts';
import {describePortDifference, viewAll, viewSampled} from '../proof/report.ts';
import {sweepAll} from '../proof/sweep-all.ts';
import {isFixed, type NamedVantagePoint, planForPolicy} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {compareRules, describeDifference, ownRules} from '../ruleset/diff.ts';
import {edgesOf, fillStretches} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {loadAgain, readLoaded} from '../testbed/load-rules.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';

/** The result of a rehearsed boot. */
export type Rehearsal = {
	/** The first fault of the rules that were loaded, if any. */
	readonly rules: string | undefined;
	/** The first fault of the ports that packets found open. */
	readonly ports: string | undefined;
	/** How many packets were sent. */
	readonly probes: number;
};

/**
 * Runs the boot's own command in an isolated copy of this machine's network, compares the rules that
 * it loads with the policy, and sends packets to find the ports that are open then.
 * @param full packets to every port; otherwise to both ends of each range that the rules treat alike
 * @returns the result, or why the boot cannot be rehearsed here
 */
export async function rehearseBoot(
	{policy, ruleSet}: CompiledPolicy,
	{interfaces, session}: Facts,
	full: boolean,
): Promise<Rehearsal | HostError> {
	const remoteClient = session.kind === 'remote' ? session : undefined;
	const plan = await planForPolicy(policy, interfaces, remoteClient);
	const isHere = (vantagePoint: NamedVantagePoint) =>
		ruleSet.families.some(({family}) => family === vantagePoint.family);
	const [vantagePoints, edges] = [plan.vantagePoints.filter(isHere), plan.edges.filter(isHere)];
	try {
		const command = bootCommand();
		return await withTestbed(
			interfaces,
			vantagePoints.filter(isFixed),
			async (testbed) => {
				const rules = await loadAsBoot(testbed.machine, command, ruleSet);
				return {rules, ...(await findPorts(testbed, vantagePoints, edges, ruleSet, full))};
			},
			{beyond: false},
		);
	} catch (error) {
		if (error instanceof HostError) {
			return error;
		}

		throw error;
	}
}

/** @returns the first fault of the rules that the boot's own command has loaded */
async function loadAsBoot(
	machine: Namespace,
	[program, ...args]: ReturnType<typeof bootCommand>,
	ruleSet: RuleSet,
): Promise<string | undefined> {
	const {status, stderr} = await machine.run(program, args, {timeout: 30_000});
	if (status !== 0) {
		// Each step down, to what would be loaded in the end.
		const said = stderr.split('\n').flatMap((line) => /^fw-wizard: (.*)/.exec(line)?.[1] ?? []);
		return printable(said.join('; ') || firstLine(stderr) || `it ended with ${status}`, 800);
	}

	const differences = await Promise.all(
		ruleSet.families.map(async (rules) => {
			const loaded = await save(rules.family, machine.run);
			return compareRules(rules, ownRules(loaded.rules));
		}),
	);
	const [difference] = differences.flat();
	return difference && printable(describeDifference(difference), 200);
}

async function findPorts(
	testbed: Testbed,
	vantagePoints: readonly NamedVantagePoint[],
	edges: readonly NamedVantagePoint[],
	ruleSet: RuleSet,
	full: boolean,
): Promise<Omit<Rehearsal, 'rules'>> {
	const families = ruleSet.families.map(({family}) => family);
	const loaded = await readLoaded(testbed.machine, families);
	await loadAgain(testbed.machine, loaded, withoutLimits(loaded));
	const {
		swept,
		sampled,
		samples,
		observations: seen,
		alike,
		probes,
	} = await sweepAll(
		...([testbed, {vantagePoints, edges}, ruleSet, loaded] as const),
		full ? {} : {portsOf: edgesOf},
	);
	// No packet was sent between two edges: the ports there count as their edges do.
	const observations = full
		? seen
		: seen.map(({vantagePoint, passed: {tcp, udp}}) => ({
				vantagePoint,
				passed: {tcp: fillStretches(alike, tcp), udp: fillStretches(alike, udp)},
			}));
	const views = [
		...viewAll(swept, observations, ruleSet, loaded),
		...viewSampled(sampled, samples.observations, loaded),
	];
	const [first] = views.flatMap((view) =>
		view.differences.map((difference) => describePortDifference(view, difference)),
	);
	return {
		ports: first && printable(first, 200),
		probes,
	};
}
