import type {Interface} from '../host/machine/interfaces.ts';
import type {Family} from '../lib/network.ts';
import {ALL_PORTS, countPorts, type PortRange} from '../lib/port-ranges.ts';
import {stretches} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {
	hasIngress,
	hasOthers,
	loadAgain,
	loadSource,
	type RulesUnderTest,
} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {withoutLimits} from './checks/rate-limits.ts';
import {type DividedSources, divideSources} from './divide-sources.ts';
import {probesOf, type Samples, sampleSources} from './sample-sources.ts';
import {type Observation, type Progress, sweep} from './sweep.ts';
import {hasOwnLink, type NamedVantagePoint} from './vantage-points.ts';

/** The sources that packets came from, and what passed of them. */
type SweptPorts = DividedSources & {
	readonly samples: Samples;
	/** Of the sources that are swept, in their order. */
	readonly observations: readonly Observation[];
	/** The ports in ranges that the rules treat alike. */
	readonly alike: readonly PortRange[];
	/** How many packets were sent to ports. */
	readonly probes: number;
};

/**
 * Loads rules into a testbed, without their rate limits. Where there are others' rules among them, the testbed
 * forwards what this machine does.
 * @returns the rules with their limits
 * @throws {HostError} that names the program which cannot load its part
 */
export async function loadForSweep(
	{machine}: Testbed,
	source: RulesUnderTest,
	interfaces: readonly Interface[],
	vantagePoints: readonly NamedVantagePoint[],
	families: readonly Family[],
): Promise<RulesUnderTest> {
	if (hasOthers(source)) {
		await mirrorForwarding(machine, interfaces, vantagePoints, source);
	}

	const loaded = await loadSource(machine, source, families);
	await loadAgain(machine, loaded, withoutLimits(loaded));
	return loaded;
}

/**
 * Sends packets to the ports from one source of each group that the rules treat alike, and from all others
 * to the ports at which a rule for them begins or ends.
 * @param edges the sources on both sides of each network's edges
 * @param portsOf chooses the ports that the first ones are swept for; absent: all
 * @throws {HostError} when packets do not arrive
 */
export async function sweepAll(
	testbed: Testbed,
	{vantagePoints, edges}: Readonly<Record<'vantagePoints' | 'edges', readonly NamedVantagePoint[]>>,
	ruleSet: RuleSet,
	loaded: RulesUnderTest,
	{
		portsOf = () => [ALL_PORTS],
		onProgress = () => {},
		follows = false,
	}: {
		readonly portsOf?: (alike: readonly PortRange[]) => readonly PortRange[];
		/** See `SweepOptions`. */
		readonly follows?: boolean;
		readonly onProgress?: ((progress: Progress) => void) | undefined;
	},
): Promise<SweptPorts> {
	const alike = stretches([...ruleSet.families, ...loaded.rules]);
	const ports = portsOf(alike);
	const {swept, sampled} = divideSources(vantagePoints, edges, ruleSet, loaded);
	await testbed.addVantagePoints(swept.filter((one) => !hasOwnLink(one)));
	const total = probesOf(sampled) + 2 * swept.length * countPorts(ports);
	const ingress = hasIngress(loaded);
	// Before the sweep, whose counters are used afterwards.
	const samples = await sampleSources(testbed, sampled, {
		ingress,
		onProgress: ({sent}) => onProgress({sent, total}),
	});
	const observations = await sweep(testbed, swept, {
		...{ports, alike, ingress, follows},
		onProgress: ({sent}) => onProgress({sent: samples.probes + sent, total}),
	});
	return {swept, sampled, samples, observations, alike, probes: total};
}
