import {joinRanges, onePort, type PortRange, subtractRanges} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {Ports} from '../proof/count-nft.ts';
import type {SampledSource} from '../proof/divide-sources.ts';
import type {View} from '../proof/report.ts';
import type {Fate} from '../proof/responsible-rule.ts';
import type {Observation} from '../proof/sweep.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';
import {fillStretches, openPorts} from '../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {isBroad} from './sources-in-rules.ts';

/** Ports of one protocol that differ from the policy. */
export type Difference = {
	readonly vantagePoint: NamedVantagePoint;
	readonly fate: Fate;
	readonly protocol: Protocol;
	readonly ports: readonly PortRange[];
};

/** What passed from one vantage point, and what should. */
export type RunningView = Pick<View, 'vantagePoint' | 'expected' | 'passed'> & {
	/** Ports whose packets go elsewhere, to a container say. */
	readonly forwarded: Ports;
};

export function viewOf(
	vantagePoint: NamedVantagePoint,
	{passed, forwarded = []}: Observation,
	alike: readonly PortRange[],
	ruleSet: RuleSet,
): RunningView {
	const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
	const starts = new Map(alike.map((stretch) => [stretch.first, stretch]));
	const widen = (ranges: readonly PortRange[]) =>
		joinRanges(
			ranges.flatMap(({first, last}) =>
				Array.from(
					{length: last - first + 1},
					(_, index) => starts.get(first + index) ?? [],
				).flat(),
			),
		);
	const expected = (protocol: Protocol) => (rules ? openPorts(rules, vantagePoint, protocol) : []);
	const elsewhere = (protocol: Protocol) =>
		widen(
			forwarded
				.filter((one) => one.protocol === protocol && !one.here)
				.map(({port}) => onePort(port)),
		);
	return {
		vantagePoint,
		expected: {tcp: expected('tcp'), udp: expected('udp')},
		passed: {tcp: widen(passed.tcp), udp: widen(passed.udp)},
		forwarded: {tcp: elsewhere('tcp'), udp: elsewhere('udp')},
	};
}

/** The same for a source of which only the edges were tried, and what their packets showed of all ports. */
export function viewOfSampled(
	{vantagePoint, alike, expected}: SampledSource,
	{passed, forwarded = []}: Observation,
): RunningView {
	const elsewhere = (protocol: Protocol) => {
		const ports = forwarded.filter((one) => one.protocol === protocol && !one.here);
		return fillStretches(alike, joinRanges(ports.map(({port}) => onePort(port))));
	};
	return {
		vantagePoint,
		expected,
		passed,
		forwarded: {tcp: elsewhere('tcp'), udp: elsewhere('udp')},
	};
}

export function differencesOf(view: RunningView): readonly Difference[] {
	const {vantagePoint, expected, passed, forwarded} = view;
	return (['tcp', 'udp'] as const).flatMap((protocol) => {
		const open = subtractRanges(passed[protocol], expected[protocol]);
		// What is forwarded bypasses INPUT, and no policy opens or closes it.
		const sent = [...passed[protocol], ...forwarded[protocol]];
		const closed = subtractRanges(expected[protocol], sent);
		const elsewhere = subtractRanges(forwarded[protocol], expected[protocol]);
		return [
			{vantagePoint, protocol, fate: 'open' as const, ports: open},
			{vantagePoint, protocol, fate: 'closed' as const, ports: closed},
			{vantagePoint, protocol, fate: 'forwarded' as const, ports: elsewhere},
		].filter(({ports}) => ports.length > 0);
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
	const isForwarded = ({fate}: Difference) => fate === 'forwarded';
	return [...all.filter((one) => !isForwarded(one)), ...all.filter(isForwarded)];
}
