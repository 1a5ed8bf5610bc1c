import {intersectRanges, joinRanges, type PortRange} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import {PROTOCOLS, type Protocol, perProtocol} from '../policy/services.ts';
import {comparePorts} from '../proof/compare-ports.ts';
import {NO_PORTS, type Ports} from '../proof/count-nft.ts';
import type {SampledSource} from '../proof/divide-sources.ts';
import {judgesForwarded, publishedPorts, publisherOf} from '../proof/published.ts';
import type {View} from '../proof/report.ts';
import type {Fate} from '../proof/responsible-rule.ts';
import type {Observation} from '../proof/sweep.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';
import {openPorts} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {startsOf, widen} from './measure.ts';
import {isBroad} from './sources-in-rules.ts';

/** `sent on`: the policy opens it, and a rule of no known program sends its packets to another machine. */
export type RunningFate = Fate | 'sent on';

/** Ports of one protocol that differ from the policy. */
export type Difference = {
	readonly vantagePoint: NamedVantagePoint;
	readonly fate: RunningFate;
	readonly protocol: Protocol;
	readonly ports: readonly PortRange[];
};

/** What passed from one vantage point, and what should. */
export type RunningView = Omit<View, 'differences' | 'protocols'>;

export function viewOf(
	vantagePoint: NamedVantagePoint,
	{passed, forwarded = NO_PORTS, sent}: Observation,
	alike: readonly PortRange[],
	ruleSet: RuleSet,
): RunningView {
	const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
	const starts = startsOf(alike);
	const widenBoth = (ports: Ports) =>
		perProtocol((protocol) => joinRanges(widen(ports[protocol], starts)));
	return {
		vantagePoint,
		expected: rules
			? perProtocol((protocol) => openPorts(rules, vantagePoint, protocol))
			: NO_PORTS,
		passed: widenBoth(passed),
		forwarded: widenBoth(forwarded),
		published: sent ? publishedPorts(sent) : [],
	};
}

/** The same for a source of which only the edges were tried, and what their packets showed of all ports. */
export function viewOfSampled(
	{vantagePoint, expected}: SampledSource,
	{passed, forwarded = NO_PORTS}: Observation,
): RunningView {
	return {vantagePoint, expected, passed, forwarded, published: []};
}

export function differencesOf(
	view: RunningView,
	policy: Policy,
	source: RulesUnderTest,
): readonly Difference[] {
	const {vantagePoint, forwarded, expected} = view;
	const judged = judgesForwarded(policy, vantagePoint);
	return PROTOCOLS.flatMap((protocol) => {
		const sentOn = intersectRanges(forwarded[protocol], expected[protocol]).filter(
			(range) => judged && publisherOf(range, source) === undefined,
		);
		return [
			...comparePorts(view, protocol, judged),
			...(sentOn.length === 0 ? [] : [{fate: 'sent on' as const, ports: sentOn}]),
		].map((fault) => ({...fault, vantagePoint, protocol}));
	});
}

/**
 * Whether a difference is only that some rule blocks a network, as programs that ban addresses do. What is
 * closed to a network of the policy, or to a good part of all addresses, is none.
 * @param named the networks of the policy
 */
export function isBan({vantagePoint, fate}: Difference, named: ReadonlySet<string>): boolean {
	const {kind, name, family} = vantagePoint;
	return (
		fate === 'closed' &&
		(kind === 'beside' ||
			(kind === 'network' && !named.has(name) && !isBroad({family, cidr: name})))
	);
}

/** Less differences of single networks that strangers on the same interface have as well. */
export function withoutImplied(differences: readonly Difference[]): readonly Difference[] {
	const keyOf = ({vantagePoint: {family, inInterface}, fate, protocol, ports}: Difference) =>
		JSON.stringify([family, inInterface, fate, protocol, ports]);
	const strangers = differences.filter(({vantagePoint}) => vantagePoint.kind === 'anywhere');
	const known = new Set(strangers.map(keyOf));
	const all = [...new Set([...strangers, ...differences.filter((one) => !known.has(keyOf(one)))])];
	// Where many ports are published, the rules of the others are looked for first.
	const isForwarded = ({fate}: Difference) => fate === 'forwarded' || fate === 'sent on';
	return [...all.filter((one) => !isForwarded(one)), ...all.filter(isForwarded)];
}
