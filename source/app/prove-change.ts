import {KEEP_EXISTING} from '../existing/cleanup-plan.ts';
import type {Facts} from '../host/machine/facts.ts';
import {formatNumber} from '../lib/format-number.ts';
import {ALL_PORTS, intersectRanges, joinRanges, type PortRange} from '../lib/port-ranges.ts';
import {isDiscovery, type Opening, type PortOpening} from '../policy/opening.ts';
import {describeDifferences} from '../proof/describe-proof.ts';
import {runProtocolChecks} from '../proof/protocols.ts';
import {type PortDifference, viewAll} from '../proof/report.ts';
import {loadForSweep, sweepAll} from '../proof/sweep-all.ts';
import {hasOwnLink, type NamedVantagePoint, planForPolicy} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {edgesOf} from '../ruleset/evaluate-ports.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {hasOthers} from '../testbed/load-rules.ts';
import {withTestbed} from '../testbed/testbed.ts';
import {planWhole} from './prove.ts';

/** What packets to the ports of a change, and to the ports around them, have shown. */
export type EdgeProof = {
	/** How many packets were sent. */
	readonly probes: number;
	/** Seconds, the copy of this machine included. */
	readonly seconds: number;
	/** The ports that were tried. */
	readonly ports: readonly PortRange[];
	/** What is not as the policy says, a sentence each without its full stop. */
	readonly differences: readonly string[];
	/** What may decide on packets too and was not in the copy, a phrase each. */
	readonly leftOut: readonly string[];
};

/**
 * Proves the rules of a change at its edges: loads them, with the other rules of this machine, into a copy of
 * it, and sends packets to the first and the last port of each changed range and to the ports beside these, from
 * any address and from the networks that the changed openings name.
 * @param changed what is opened or closed
 * @throws {HostError} where no copy of this machine can be made
 */
export async function proveEdges(
	facts: Facts,
	compiled: CompiledPolicy,
	changed: readonly Opening[],
): Promise<EdgeProof> {
	const begin = performance.now();
	const {policy, ruleSet} = compiled;
	const [{source, leftOut}, plan] = await Promise.all([
		planWhole(facts, {...compiled, existing: KEEP_EXISTING}),
		planForPolicy({...policy, openings: changed}, facts.interfaces, undefined),
	]);
	const families = ruleSet.families.map(({family}) => family);
	const {vantagePoints, leftOut: untried} = chooseSome(
		plan.vantagePoints.filter(({family}) => families.includes(family)),
	);
	const exact = edgesOf(changed.flatMap(rangeOf));
	const ports = widen(exact);
	const work = withTestbed(
		facts.interfaces,
		vantagePoints.filter(hasOwnLink),
		async (testbed) => {
			const loaded = await loadForSweep(
				...([testbed, source, facts.interfaces, vantagePoints, families] as const),
			);
			const {swept, observations, probes} =
				ports.length === 0
					? {swept: [], observations: [], probes: 0}
					: await sweepAll(testbed, {vantagePoints, edges: []}, ruleSet, loaded, {
							portsOf: () => ports,
							follows: hasOthers(source),
						});
			const views = viewAll(swept, observations, {policy, ruleSet, source: loaded}, ports);
			const ofChange = views.map((view) => ({
				...view,
				differences: view.differences
					.map((difference) => ({...difference, ports: judged(difference, exact)}))
					.filter((difference) => difference.ports.length > 0),
			}));
			const protocols = changed.some(isWithoutPorts)
				? await runProtocolChecks(testbed, vantagePoints, policy, ruleSet, loaded)
				: {checks: [], differences: []};
			return {
				probes,
				differences: [
					...describeDifferences(ofChange),
					...protocols.checks
						.filter(({result}) => result === 'failed')
						.map(({name, detail}) => `${name}: ${detail}`),
				],
			};
		},
		{beyond: false},
	);
	return {
		...(await work),
		ports,
		leftOut: [...leftOut, ...untried, ...changed.filter(isDiscovery).map(({kind}) => kind)],
		seconds: (performance.now() - begin) / 1000,
	};
}

/** Packets are sent from so many of the networks that the changed openings name, at most. */
const MOST_NETWORKS = 64;

/** Some networks of a long list, from its first one to its last, and all that is no network. */
function chooseSome(vantagePoints: readonly NamedVantagePoint[]) {
	const isNetwork = ({kind}: NamedVantagePoint) => kind === 'network' || kind === 'beside';
	const names = [...new Set(vantagePoints.filter(isNetwork).map(({name}) => name))];
	const count = Math.min(names.length, MOST_NETWORKS);
	const chosen = new Set(
		Array.from({length: count}, (_, index) => {
			const place = count === 1 ? 0 : (index * (names.length - 1)) / (count - 1);
			return names[Math.round(place)];
		}),
	);
	const left = names.length - chosen.size;
	return {
		vantagePoints: vantagePoints.filter((point) => !isNetwork(point) || chosen.has(point.name)),
		leftOut:
			left === 0
				? []
				: [`${formatNumber(left)} of ${formatNumber(names.length)} networks (--full tries each)`],
	};
}

/** Beside the ports of the change, what other programs' rules do is no matter of the change. */
function judged(
	{ports, cause}: PortDifference,
	changed: readonly PortRange[],
): readonly PortRange[] {
	return cause.includes(OWN_PREFIX) ? ports : intersectRanges(ports, changed);
}

function rangeOf(opening: Opening): readonly PortRange[] {
	return opening.kind === 'port' && opening.protocol !== 'sctp' ? [opening] : [];
}

function isWithoutPorts(opening: Opening): boolean {
	return opening.kind === 'protocol' || (opening as PortOpening).protocol === 'sctp';
}

/** The same ports, with the one below and the one above each. */
function widen(ports: readonly PortRange[]): readonly PortRange[] {
	const wide = ports.map(({first, last}) => ({first: first - 1, last: last + 1}));
	return joinRanges(intersectRanges(wide, [ALL_PORTS]));
}
