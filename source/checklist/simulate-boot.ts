import {readKnown} from '../change/change-state.ts';
import {compareRunning} from '../exposure/compare-running.ts';
import {describeBlocked, describeDeviation} from '../exposure/describe-deviation.ts';
import {splitKnown} from '../exposure/known-deviations.ts';
import {firstLine, type RunResult} from '../host/exec/run.ts';
import type {Facts} from '../host/machine/facts.ts';
import {save} from '../host/netfilter/iptables.ts';
import type {Namespace} from '../host/netns.ts';
import {asHostError, type HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {type BootFindings, placeOfRule} from '../persistence/boot-loaders/judge.ts';
import type {BootLoader} from '../persistence/boot-loaders/model.ts';
import {isRehearsable, runBoot} from '../persistence/boot-loaders/run-boot.ts';
import {perProtocol} from '../policy/services.ts';
import {withoutLimits} from '../proof/checks/rate-limits.ts';
import {describeDifferences} from '../proof/describe-proof.ts';
import {type Proven, viewAll, viewSampled} from '../proof/report.ts';
import {sweepAll} from '../proof/sweep-all.ts';
import {hasOwnLink, type NamedVantagePoint, planForPolicy} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {ownDifferences} from '../ruleset/diff.ts';
import {edgesOf, fillStretches} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {hasOthers, loadAgain, type RulesUnderTest, readLoaded} from '../testbed/load-rules.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import {isMeant} from './check-packets.ts';
import {joinTexts} from './checklist-item.ts';

/** The result of a rehearsed boot. */
export type Rehearsal = BootFindings & {
	/** The first fault of the rules that the restore script loads, if any. */
	readonly rules: string | undefined;
	/** The first fault of the ports that packets found open. */
	readonly ports: string | undefined;
	/** Rules that others load at boot are the cause of it. */
	readonly byOthers: boolean;
	/** How many packets were sent. */
	readonly probes: number;
};

/**
 * Runs what loads rules at boot in an isolated copy of this machine's network, compares our rules with the
 * policy, and sends packets to find the ports that are open then.
 * @param loaders what else changes rules at boot
 * @param full packets to every port; otherwise to both ends of each range that the rules treat alike
 * @returns the result, or why the boot cannot be rehearsed here
 */
export async function rehearseBoot(
	compiled: CompiledPolicy,
	facts: Facts,
	loaders: readonly BootLoader[],
	full: boolean,
): Promise<Rehearsal | HostError> {
	const {policy, ruleSet} = compiled;
	const {interfaces, session} = facts;
	const remoteClient = session.kind === 'remote' ? session : undefined;
	const plan = await planForPolicy(policy, interfaces, remoteClient);
	const families = ruleSet.families.map(({family}) => family);
	const isHere = ({family}: NamedVantagePoint) => families.includes(family);
	const [vantagePoints, edges] = [plan.vantagePoints.filter(isHere), plan.edges.filter(isHere)];
	try {
		const booted = await withTestbed(
			interfaces,
			vantagePoints.filter(hasOwnLink),
			async (testbed) => {
				const run = await loadAsBoot(testbed.machine, loaders, ruleSet);
				const loaded = await readLoaded(testbed.machine, families);
				const byOthers = loaders.some(isRehearsable) && hasOthers(loaded);
				// Packets are not followed where our own rules are gone: all ports are open.
				return byOthers && run.takers.size === 0
					? {...run, loaded}
					: {
							...{...run, byOthers: run.takers.size > 0},
							...(await findPorts(
								testbed,
								vantagePoints,
								edges,
								{...compiled, source: loaded},
								full,
							)),
						};
			},
			{beyond: false},
		);
		return 'loaded' in booted
			? {...booted, ...(await comparePorts(compiled, facts, booted.loaded, loaders, full))}
			: booted;
	} catch (error) {
		return asHostError(error);
	}
}

/** Loads what the boot does, and finds the first fault of the rules that the restore script has loaded. */
async function loadAsBoot(
	machine: Namespace,
	loaders: readonly BootLoader[],
	ruleSet: RuleSet,
): Promise<BootFindings & Pick<Rehearsal, 'rules'>> {
	let rules: string | undefined;
	const takers = new Set<BootLoader>();
	const failed = await runBoot(machine, loaders, async (step) => {
		if (step.kind === 'own') {
			rules = faultOf(step.result) ?? (await findDifference(machine, ruleSet));
		} else if (
			rules === undefined &&
			takers.size === 0 &&
			(await findDifference(machine, ruleSet)) !== undefined
		) {
			takers.add(step.loader);
		}
	});
	return {rules, takers, failed};
}

/** What the restore script says where it has not loaded the rules. */
function faultOf({status, stderr}: RunResult): string | undefined {
	// Each step down, to what would be loaded in the end.
	const said = stderr.split('\n').flatMap((line) => /^fw-wizard: (.*)/.exec(line)?.[1] ?? []);
	return status === 0
		? undefined
		: printable(said.join('; ') || firstLine(stderr) || `it ended with ${status}`, 800);
}

/** The first difference between our rules in a namespace and those of the policy. */
async function findDifference(machine: Namespace, ruleSet: RuleSet): Promise<string | undefined> {
	const differences = await Promise.all(
		ruleSet.families.map(async (rules) => {
			const loaded = await save(rules.family, machine.run);
			return ownDifferences(rules, loaded.rules);
		}),
	);
	return differences.flat()[0];
}

/** The same where rules of others are among those of the boot: what these open or block beside what was known. */
async function comparePorts(
	{policy, ruleSet}: CompiledPolicy,
	{interfaces, session}: Facts,
	source: RulesUnderTest,
	loaders: readonly BootLoader[],
	full: boolean,
): Promise<Pick<Rehearsal, 'ports' | 'probes' | 'byOthers'>> {
	const compared = await compareRunning(source, {
		...{policy, ruleSet, interfaces, full},
		remoteClient: session.kind === 'remote' ? session : undefined,
	});
	const {deviations, blocked, protocols, probes} = splitKnown(compared, readKnown()).fresh;
	const texts = [
		...deviations
			.filter((deviation) => !isMeant(deviation))
			.map((deviation) => {
				const place = placeOfRule(deviation.rule?.text ?? '', loaders);
				return `${describeDeviation(deviation)}${place === undefined ? '' : `, loaded from ${place}`}`;
			}),
		...blocked.map(describeBlocked),
		...protocols.filter(({passes}) => !passes).map(({text}) => text),
	];
	return {
		ports: texts.length === 0 ? undefined : printable(joinTexts(texts), 900),
		...{probes, byOthers: true},
	};
}

async function findPorts(
	testbed: Testbed,
	vantagePoints: readonly NamedVantagePoint[],
	edges: readonly NamedVantagePoint[],
	proven: Proven,
	full: boolean,
): Promise<Pick<Rehearsal, 'ports' | 'probes'>> {
	const {ruleSet, source: loaded} = proven;
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
		: seen.map(({vantagePoint, passed}) => ({
				vantagePoint,
				passed: perProtocol((protocol) => fillStretches(alike, passed[protocol])),
			}));
	const views = [
		...viewAll(swept, observations, proven),
		...viewSampled(sampled, samples.observations, proven),
	];
	const [first] = describeDifferences(views);
	return {
		ports: first && printable(first, 200),
		probes,
	};
}
