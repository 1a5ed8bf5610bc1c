import {programOfRule} from '../existing/rule-owner.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import {findOtherFilters} from '../host/netfilter/other-filters.ts';
import {HostError} from '../lib/errors.ts';
import {type Family, printNetwork} from '../lib/network.ts';
import {intersectRanges, joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {Policy} from '../policy/policy.ts';
import type {Protocol} from '../policy/services.ts';
import type {ProtocolDifference} from '../proof/compare-protocols.ts';
import {divideSources} from '../proof/divide-sources.ts';
import {runProtocolChecks} from '../proof/protocols.ts';
import {type Fate, findResponsibleRule} from '../proof/responsible-rule.ts';
import type {ResponsibleRule} from '../proof/rule-counters.ts';
import {sampleSources} from '../proof/sample-sources.ts';
import {sweep} from '../proof/sweep.ts';
import {isFixed, type NamedVantagePoint} from '../proof/vantage-points.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {RemoteClient} from '../ruleset/lockout.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {programOfTable} from '../services/known-programs/find.ts';
import {hasIngress, loadAll, type RulesUnderTest} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import {type BlockedConnection, findBlockedConnections} from './compare-connections.ts';
import {findRouteFaults} from './compare-routes.ts';
import {everyPort, stretchesOf} from './port-stretches.ts';
import {
	type Difference,
	differencesOf,
	isBan,
	type RunningView,
	viewOf,
	viewOfSampled,
	withoutImplied,
} from './running-differences.ts';
import {withoutRateLimits, withSources} from './strip-rate-limits.ts';
import {describeUnprobed} from './unprobed-rules.ts';
import {planForRunning} from './vantage-points.ts';

/** Ports that one rule opens or closes against the policy. */
export type Deviation = {
	readonly fate: Fate;
	readonly ports: Readonly<Record<Protocol, readonly PortRange[]>>;
	readonly families: readonly Family[];
	readonly from: readonly NamedVantagePoint[];
	/** Undefined where no rule was found that does it. */
	readonly rule: ResponsibleRule | undefined;
};

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

export type CompareOptions = {
	readonly policy: Policy;
	readonly ruleSet: RuleSet;
	readonly interfaces: readonly Interface[];
	readonly remoteClient: RemoteClient | undefined;
	/** Packets to every port; otherwise to one of each range that the rules treat alike. */
	readonly full?: boolean;
};

/** The rules for this many differences are looked for, at most: each takes some 30 ms. */
const MOST_SEARCHES = 24;

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
		findOtherFilters(),
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
					opening.kind === 'port' && opening.from ? [printNetwork(opening.from)] : [],
				),
			);
			const differences = withoutImplied(
				[...views, ...sampledViews]
					.flatMap(differencesOf)
					.filter((difference) => !isBan(difference, named)),
			);
			// Packets have to arrive again, also under rules that block neighbour discovery.
			await testbed.seedNeighbours(differences.map(({vantagePoint}) => vantagePoint));
			const deviations = await explain(...([testbed, source, loaded, differences, cuts] as const));
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
				leftOut: [
					...leftOut,
					...describeUnprobed(source),
					...source.nativeTables
						.filter((name) => name.startsWith('bridge '))
						.map((name) => `table ${name}`),
				],
				protocols,
				probes: samples.probes + 2 * vantagePoints.length * alike.length,
				unloaded,
			};
		},
		{beyond: false},
	);
}

/** Loads the running rules, less rate limits and rules for other sources than the vantage points. */
async function loadRunning(
	{machine}: Testbed,
	interfaces: readonly Interface[],
	vantagePoints: readonly NamedVantagePoint[],
	source: RulesUnderTest,
): Promise<{readonly loaded: RulesUnderTest; readonly unloaded: readonly string[]}> {
	const present = new Set(vantagePoints.map(({inInterface}) => inInterface));
	await mirrorForwarding(machine, interfaces, present, source);
	const sources = [...new Set(vantagePoints.map((one) => one.source))];
	const loads = source.loads.map((load) => ({
		...load,
		text: withoutRateLimits(
			load.program.endsWith('-restore') ? withSources(load.text, sources) : load.text,
		),
	}));
	const unloaded: string[] = [];
	for (const load of loads) {
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

	return {loaded: {...source, loads}, unloaded};
}

/** The rule with which a known program publishes a port, of a container mostly; safe to print. */
export function publishedBy({first}: PortRange, {loads}: RulesUnderTest): string | undefined {
	const port = new RegExp(`\\bdport (?:\\{[^}]*\\b)?${first}\\b`);
	for (const {program, text} of loads) {
		const isNative = program === 'nft';
		const table = isNative ? (/^table (\S+ \S+) \{/.exec(text)?.[1] ?? '') : 'nat';
		const line = text
			.split('\n')
			.find((one) => port.test(one) && (isNative || / -j DNAT /.test(one)));
		const found = line && (isNative ? programOfTable(table) : programOfRule(line));
		if (line && found) {
			return `${printable(line.trim(), 200)}, in ${table} (${found.name})`;
		}
	}

	return undefined;
}

/** Finds the rule of each difference, and puts together what one rule does. */
async function explain(
	testbed: Testbed,
	source: RulesUnderTest,
	loaded: RulesUnderTest,
	differences: readonly Difference[],
	cuts: readonly PortRange[],
): Promise<readonly Deviation[]> {
	const original = originalLines(source);
	const found = new Map<string, Deviation>();
	let searches = 0;
	for (const {vantagePoint, fate, protocol, ports} of differences) {
		let rule: ResponsibleRule | undefined;
		const unknown =
			fate === 'forwarded'
				? ports.filter((range) => publishedBy(range, source) === undefined)
				: ports;
		// Neighbouring ports may have two causes.
		const pieces = unknown.flatMap((range) =>
			cuts.flatMap((one) => intersectRanges([range], [one])),
		);
		for (const [index, range] of pieces.entries()) {
			// The pieces of one difference mostly have one cause.
			if (index < 4 || (rule && !canBeAbout(rule.text, range.first))) {
				const packet = {protocol, port: range.first};
				rule =
					searches < MOST_SEARCHES
						? await findResponsibleRule(testbed, loaded, vantagePoint, packet, fate)
						: undefined;
				searches += 1;
			}

			const {kind, name, inInterface, family} = vantagePoint;
			const text = rule && (original.get(rule.text) ?? rule.text);
			const key = JSON.stringify([fate, text, rule?.place, kind, name, inInterface, family]);
			const own = found.get(key)?.ports ?? {tcp: [], udp: []};
			found.set(key, {
				...{fate, from: [vantagePoint], families: [family]},
				rule: rule && {...rule, text: text ?? rule.text},
				ports: {...own, [protocol]: joinRanges([...own[protocol], range])},
			});
		}
	}

	const perFamily = merge([...found.values()], ({families: _, from, ...rest}) => ({
		...rest,
		from: from.map(({kind, name, inInterface}) => [kind, name, inInterface]),
	}));
	return merge(perFamily, ({from, ...rest}) => ({...rest, kinds: from.map(({kind}) => kind)}));
}

/** Whether a rule can apply to a port: it names this one, or none. */
function canBeAbout(text: string, port: number): boolean {
	const [, list] = /\bdports? (\{[^}]*\}|[\d:,-]+)/.exec(text) ?? [];
	return (
		list === undefined ||
		[...list.matchAll(/(\d+)(?:[:-](\d+))?/g)].some(
			([, first, last = first]) => Number(first) <= port && port <= Number(last),
		)
	);
}

/** Puts together what differs only in the families, or in where packets come from. */
function merge(
	deviations: readonly Deviation[],
	keyOf: (deviation: Deviation) => unknown,
): readonly Deviation[] {
	const merged = new Map<string, Deviation>();
	for (const deviation of deviations) {
		const key = JSON.stringify(keyOf(deviation));
		const {families, from} = merged.get(key) ?? {families: [], from: []};
		const names = new Set(from.map(({kind, name}) => `${kind} ${name}`));
		merged.set(key, {
			...deviation,
			families: [...new Set([...families, ...deviation.families])],
			from: [...from, ...deviation.from.filter(({kind, name}) => !names.has(`${kind} ${name}`))],
		});
	}

	return [...merged.values()];
}

/** The rules as they run, by what is left of them in the copy. */
function originalLines({loads}: RulesUnderTest): ReadonlyMap<string, string> {
	const lines = loads
		.flatMap(({text}) => text.split('\n'))
		.filter((line) => line.startsWith('-A '));
	return new Map(lines.map((line) => [withoutRateLimits(line), line]));
}
