import type {Family} from '../lib/network.ts';
import {intersectRanges, joinRanges, type PortRange} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import type {Protocol} from '../policy/services.ts';
import {governs, publisherOf} from '../proof/published.ts';
import {findResponsibleRule} from '../proof/responsible-rule.ts';
import type {ResponsibleRule} from '../proof/rule-counters.ts';
import type {NamedVantagePoint} from '../proof/vantage-points.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Testbed} from '../testbed/testbed.ts';
import type {Difference, RunningFate} from './running-differences.ts';
import {withoutRateLimits} from './strip-rate-limits.ts';

/** Ports that one rule opens or closes against the policy. */
export type Deviation = {
	readonly fate: RunningFate;
	readonly ports: Readonly<Record<Protocol, readonly PortRange[]>>;
	readonly families: readonly Family[];
	readonly from: readonly NamedVantagePoint[];
	/** Undefined where no rule was found that does it. */
	readonly rule: ResponsibleRule | undefined;
};

/** The rules for this many differences are looked for, at most: each takes some 30 ms. */
const MOST_SEARCHES = 24;

/**
 * Finds the rule of each difference by packets, and puts together what one rule does.
 * @param loaded the rules in the copy, as they were loaded there from the source
 * @param cuts the ports in ranges that the rules treat alike
 */
export async function explainDeviations(
	testbed: Testbed,
	source: RulesUnderTest,
	loaded: RulesUnderTest,
	differences: readonly Difference[],
	{policy, cuts}: {readonly policy: Policy; readonly cuts: readonly PortRange[]},
): Promise<readonly Deviation[]> {
	const original = originalLines(source);
	const found = new Map<string, Deviation>();
	let searches = 0;
	for (const {vantagePoint, fate, protocol, ports} of differences) {
		let rule: ResponsibleRule | undefined;
		const unguarded = fate === 'forwarded' && governs(policy, vantagePoint);
		const wanted = unguarded ? 'unguarded' : fate === 'sent on' ? 'forwarded' : fate;
		const unknown =
			fate === 'forwarded' && !unguarded
				? ports.filter((range) => publisherOf(range, source) === undefined)
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
						? await findResponsibleRule(testbed, loaded, vantagePoint, packet, wanted)
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

	// The rule itself also counts its packets.
	const shared = ({fate, ports, rule}: Deviation) => [fate, ports, rule?.text, rule?.place];
	const perFamily = merge([...found.values()], (one) => [
		...shared(one),
		one.from.map(({kind, name, inInterface}) => [kind, name, inInterface]),
	]);
	return merge(perFamily, (one) => [
		...shared(one),
		...[one.families, one.from.map(({kind}) => kind)],
	]);
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
