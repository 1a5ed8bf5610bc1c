import {groupBy} from '../lib/group-by.ts';
import {isPort, type PortRange} from '../lib/port-ranges.ts';
import {PROTOCOLS, perProtocol} from '../policy/services.ts';
import {openPorts, stretches} from '../ruleset/evaluate-ports.ts';
import type {FamilyRules, RuleSet} from '../ruleset/model.ts';
import {rulesBySource} from '../ruleset/rules-by-source.ts';
import {isIptables, type RulesUnderTest} from '../testbed/load-rules.ts';
import {NO_PORTS, type Ports} from './count-nft.ts';
import {isFixed, type NamedVantagePoint} from './vantage-points.ts';

/** A source that packets are sent from only to the ports at which some rule for it begins or ends. */
export type SampledSource = {
	readonly vantagePoint: NamedVantagePoint;
	/** All ports, in ranges that the rules treat alike, as far as it is known. */
	readonly alike: readonly PortRange[];
	/** The ports that the policy opens to it. */
	readonly expected: Ports;
};

export type DividedSources = {
	/** One source of each group that the rules treat alike, and all sources that are no networks. */
	readonly swept: readonly NamedVantagePoint[];
	readonly sampled: readonly SampledSource[];
};

/** Networks that stand for their groups, at most: a policy may open another port to each of 500. */
const MOST_GROUPS = 16;
/** Packets to ports that rules may name which are not modelled as data, at most. */
const MOST_PROBES = 1_000_000;

/**
 * Divides sources by how the rules of the policy and the loaded ones treat them: to every port packets go
 * from one network of each group. From the others they go to the first and the last port of each range that
 * the rules for this source treat alike.
 * @param edges more sources, none of which stands for a group
 * @param isApart sources that stand for nobody else, and from which packets go to every port
 */
export function divideSources(
	vantagePoints: readonly NamedVantagePoint[],
	edges: readonly NamedVantagePoint[],
	{families}: RuleSet,
	loaded: RulesUnderTest,
	isApart: (vantagePoint: NamedVantagePoint) => boolean = isFixed,
): DividedSources {
	const indexes = new Map(
		families.map(({family}) => [
			family,
			[...families, ...loaded.rules].filter((one) => one.family === family).map(rulesBySource),
		]),
	);
	const all = [...vantagePoints, ...edges];
	const unparsed = unparsedPorts(loaded);
	// Both ends of two more ranges, over TCP and UDP.
	const numbers = unparsed.length * all.length * 4 > MOST_PROBES ? [] : unparsed;
	const ofKey = new Map<string, Omit<SampledSource, 'vantagePoint'>>();
	const keyed = all.map((vantagePoint) => {
		const {family, inInterface, source, destination} = vantagePoint;
		const found = (indexes.get(family) ?? []).map((rulesOf) => rulesOf(source));
		const rules = found.map((one) => one.rules);
		const key =
			vantagePoint.kind === 'inside'
				? insideKey(vantagePoint, rules)
				: `${family} ${inInterface} ${destination} ${found.map((one) => one.key).join('\n\n')}`;
		const known = ofKey.get(key) ?? judge(vantagePoint, rules, numbers);
		ofKey.set(key, known);
		return {vantagePoint, key, ...known};
	});
	const apart = keyed.filter(({vantagePoint}) => isApart(vantagePoint));
	const strangers = new Set(apart.map(({key}) => key));
	const candidates = keyed.slice(0, vantagePoints.length).filter(({key}) => !strangers.has(key));
	const groups = groupBy(candidates, ({key}) => key).slice(0, MOST_GROUPS);
	const chosen = new Map(
		[...apart.map((one) => [one]), ...groups].flatMap((group) =>
			group
				.slice(0, 1)
				.map(({vantagePoint}) => [vantagePoint, nameGroup(vantagePoint, group.length)] as const),
		),
	);
	return {
		swept: vantagePoints.flatMap((one) => chosen.get(one) ?? []),
		sampled: keyed.filter(({vantagePoint}) => !chosen.has(vantagePoint)),
	};
}

/** Rules treat bridges alike that open the same ports to hosts behind them: seldom does one name a bridge. */
function insideKey(vantagePoint: NamedVantagePoint, rules: readonly FamilyRules[]): string {
	const open = rules.map((one) =>
		PROTOCOLS.map((protocol) => openPorts(one, vantagePoint, protocol)),
	);
	return `inside ${vantagePoint.family} ${JSON.stringify(open)}`;
}

/** `containers of app_default and 2 more networks` */
function nameGroup(one: NamedVantagePoint, size: number): NamedVantagePoint {
	const more = size - 1;
	return one.kind !== 'inside' || more === 0
		? one
		: {...one, name: `${one.name} and ${more} more ${more === 1 ? 'network' : 'networks'}`};
}

/** @param rules those of the policy first */
function judge(
	vantagePoint: NamedVantagePoint,
	rules: readonly FamilyRules[],
	numbers: readonly number[],
): Omit<SampledSource, 'vantagePoint'> {
	const [own] = rules;
	return {
		alike: stretches(rules, numbers),
		expected: own ? perProtocol((protocol) => openPorts(own, vantagePoint, protocol)) : NO_PORTS,
	};
}

/** Addresses with their prefixes, comments, counters and handles. */
const NOT_PORTS =
	/\d+(?:\.\d+){3}(?:\/\d+)?|[\da-f]*:[\da-f:]+(?:\/\d+)?|^#.*$|\[\d+:\d+\]|counter packets \d+ bytes \d+/gm;

/** Numbers in rules that are not modelled as data, and those after them. Some are ports, and the others do no harm. */
function unparsedPorts({loads, rules}: RulesUnderTest): readonly number[] {
	const words = rules.flatMap(({tables}) =>
		tables.flatMap(({chains}) =>
			chains.flatMap((chain) => chain.rules.flatMap(({match}) => match.unknown?.join(' ') ?? [])),
		),
	);
	const texts = loads.filter((load) => !isIptables(load)).map(({text}) => text);
	const found = [...words, ...texts].flatMap(
		(text) => text.replaceAll(NOT_PORTS, ' ').match(/\d+/g) ?? [],
	);
	return [...new Set(found.map(Number))].filter(isPort).flatMap((port) => [port, port + 1]);
}
