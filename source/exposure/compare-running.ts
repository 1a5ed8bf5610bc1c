import type {Interface} from '../host/machine/interfaces.ts';
import {HostError} from '../lib/errors.ts';
import {printNetwork} from '../lib/network.ts';
import {joinRanges, onePort} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import {networksOf} from '../policy/sources.ts';
import type {ProtocolDifference} from '../proof/compare-protocols.ts';
import {divideSources} from '../proof/divide-sources.ts';
import {runProtocolChecks} from '../proof/protocols.ts';
import {sampleSources} from '../proof/sample-sources.ts';
import {sweep} from '../proof/sweep.ts';
import {isFixed, type NamedVantagePoint} from '../proof/vantage-points.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RemoteClient} from '../ruleset/lockout.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {hasIngress, loadAll, type RulesUnderTest} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import {type BlockedConnection, findBlockedConnections} from './compare-connections.ts';
import {findRouteFaults} from './compare-routes.ts';
import {type Deviation, explainDeviations} from './explain-deviations.ts';
import {asMeasured, everyPort, stretchesOf} from './measure.ts';
import {
	differencesOf,
	isBan,
	type RunningView,
	viewOf,
	viewOfSampled,
	withoutImplied,
} from './running-differences.ts';
import {describeUnprobed, findUncopied} from './unprobed-rules.ts';
import {planForRunning} from './vantage-points.ts';

/** How the running rules compare to the policy. */
export type Comparison = {
	readonly deviations: readonly Deviation[];
	/** What passed from each vantage point. */
	readonly views: readonly RunningView[];
	readonly blocked: readonly BlockedConnection[];
	/** Who cannot be answered because of routes, a line each. */
	readonly unroutable: readonly string[];
	/** What may decide on packets too and has no copy, a phrase each. */
	readonly leftOut: readonly string[];
	/** Packets of protocols without ports that pass against the policy, or do not. */
	readonly protocols: readonly ProtocolDifference[];
	/** How many packets were sent. */
	readonly probes: number;
	/** Tables of nftables that the copy of this machine could not load. */
	readonly unloaded: readonly string[];
};

type CompareOptions = {
	readonly policy: Policy;
	readonly ruleSet: RuleSet;
	readonly interfaces: readonly Interface[];
	readonly remoteClient: RemoteClient | undefined;
	/** Packets to every port; otherwise to one of each range that the rules treat alike. */
	readonly full?: boolean;
};

/**
 * Sends packets at a copy of this machine with the rules that run now, and compares the ports that pass to
 * the ports that the policy opens.
 * @param source the running rules
 * @throws {HostError} where no copy of this machine can be made, or it cannot load these rules
 */
export async function compareRunning(
	source: RulesUnderTest,
	{policy, ruleSet, interfaces, remoteClient, full = false}: CompareOptions,
): Promise<Comparison> {
	const families = ruleSet.families.map(({family}) => family);
	const planned = await planForRunning(policy, interfaces, source, remoteClient);
	const isHere = ({family}: NamedVantagePoint) => families.includes(family);
	const inPolicy = new Set(planned.edges.map(({name}) => name));
	const {swept: vantagePoints, sampled} = divideSources(
		planned.vantagePoints.filter(isHere),
		planned.edges.filter(isHere),
		ruleSet,
		source,
		(one) => isFixed(one) || !inPolicy.has(one.name),
	);
	const sampledOf = new Map(sampled.map((one) => [one.vantagePoint as VantagePoint, one]));
	const cuts = stretchesOf(source, ruleSet);
	const alike = full ? everyPort() : cuts;
	const ports = joinRanges(alike.map(({first}) => onePort(first)));
	const [unroutable, leftOut] = await Promise.all([
		findRouteFaults(vantagePoints, interfaces),
		findUncopied(source),
	]);
	return withTestbed(
		interfaces,
		vantagePoints,
		async (testbed) => {
			const sources = [...vantagePoints, ...sampled.map((one) => one.vantagePoint)];
			const {loaded, unloaded} = await loadRunning(testbed, interfaces, sources, source);
			const ingress = hasIngress(loaded);
			const samples = await sampleSources(testbed, sampled, {ingress});
			const observations = await sweep(testbed, vantagePoints, {
				...{ports, alike, follows: true},
				ingress,
			});
			const views = vantagePoints.flatMap((vantagePoint) => {
				const seen = observations.find((one) => one.vantagePoint === vantagePoint);
				return seen === undefined ? [] : [viewOf(vantagePoint, seen, alike, ruleSet)];
			});
			const sampledViews = samples.observations.flatMap((seen) => {
				const one = sampledOf.get(seen.vantagePoint);
				return one === undefined ? [] : [viewOfSampled(one, seen)];
			});
			const named = new Set(
				policy.openings.flatMap((opening) =>
					opening.kind === 'port' ? networksOf(opening.from ?? []).map(printNetwork) : [],
				),
			);
			const differences = withoutImplied(
				[...views, ...sampledViews]
					.flatMap((view) => differencesOf(view, policy, source))
					.filter((difference) => !isBan(difference, named)),
			);
			// Packets have to arrive again, also under rules that block neighbour discovery.
			await testbed.seedNeighbours(differences.map(({vantagePoint}) => vantagePoint));
			const found = await explainDeviations(
				...([testbed, source, loaded, differences, {policy, cuts}] as const),
			);
			const deviations = found.filter((one) => !isGrant(one));
			await testbed.forgetNeighbours();
			const known = new Set(deviations.map(({rule}) => rule?.text));
			const {differences: protocols} = await runProtocolChecks(
				...([testbed, vantagePoints, policy, ruleSet, loaded] as const),
			);
			const blocked = await findBlockedConnections(testbed, policy, views, loaded);
			return {
				...{deviations, views},
				// A rule that closes ports mostly blocks more.
				blocked: blocked.filter(({rule}) => !known.has(rule.text)),
				unroutable,
				leftOut: [...leftOut, ...describeUnprobed(source)],
				protocols,
				probes: samples.probes + 2 * vantagePoints.length * alike.length,
				unloaded,
			};
		},
		{beyond: false},
	);
}

/** Whether a program lets its own guests in, as libvirt does for their DHCP and DNS. */
function isGrant({fate, from, rule}: Deviation): boolean {
	return fate === 'open' && rule?.own === false && from.every(({kind}) => kind === 'inside');
}

/** Loads the running rules, less rate limits and rules for other sources than the vantage points. */
async function loadRunning(
	{machine}: Testbed,
	interfaces: readonly Interface[],
	vantagePoints: readonly NamedVantagePoint[],
	source: RulesUnderTest,
): Promise<{readonly loaded: RulesUnderTest; readonly unloaded: readonly string[]}> {
	await mirrorForwarding(machine, interfaces, vantagePoints, source);
	const loaded = asMeasured(source, vantagePoints);
	const unloaded: string[] = [];
	for (const load of loaded.loads) {
		try {
			await loadAll(machine, [load]);
		} catch (error) {
			const [, table] = /^table (\S+ \S+) \{/m.exec(load.text) ?? [];
			if (load.program !== 'nft' || table === undefined || !(error instanceof HostError)) {
				throw error;
			}

			unloaded.push(table);
		}
	}

	return {loaded, unloaded};
}
