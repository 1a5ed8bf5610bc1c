import {
	ALL_PORTS,
	countPorts,
	intersectRanges,
	joinRanges,
	onePort,
	type PortRange,
} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import {PROTOCOLS, type Protocol, perProtocol} from '../policy/services.ts';
import {type Decision, evaluate} from '../ruleset/evaluate.ts';
import {firstPacket, openPorts, type VantagePoint} from '../ruleset/evaluate-ports.ts';
import {OWN_PREFIX, type RuleSet} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Check} from './checks/check.ts';
import {comparePorts} from './compare-ports.ts';
import {NO_PORTS, type Ports} from './count-nft.ts';
import type {SampledSource} from './divide-sources.ts';
import {judgesForwarded, type PublishedPorts, publishedBy, publishedPorts} from './published.ts';
import type {Fate} from './responsible-rule.ts';
import type {Observation} from './sweep.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** The outcome of a proof. */
export type Proof = {
	readonly views: readonly View[];
	readonly checks: readonly Check[];
	/** Networks of the policy that no packet from outside can come from. */
	readonly untried: readonly string[];
	/** What may decide on packets too and is not in this proof, a phrase each. */
	readonly leftOut: readonly string[];
	/**
	 * From these networks, and from beside them, packets went only to the ports where a rule for the source
	 * begins or ends: a network that the rules treat alike has a view of its own. Absent: none.
	 */
	readonly sampled?: {
		readonly networks: number;
		readonly addresses: number;
		readonly probes: number;
	};
	/** How many packets were sent to ports. */
	readonly probes: number;
	/** How long that took. */
	readonly seconds: number;
};

/** The ports that passed from one vantage point, and the ports that the policy opens to it. */
export type View = {
	readonly vantagePoint: NamedVantagePoint;
	/** The ports whose packets reached this machine. */
	readonly passed: Ports;
	/** The ports whose packets went to a container or another machine. */
	readonly forwarded: Ports;
	/** The ports that DNAT sends there, whether their packets arrive or not. */
	readonly published: readonly PublishedPorts[];
	/** The names of other protocols, and the ports of SCTP, that passed. */
	readonly protocols?: readonly string[];
	readonly expected: Ports;
	readonly differences: readonly PortDifference[];
};

export type PortDifference = {
	readonly protocol: Protocol;
	readonly ports: readonly PortRange[];
	/** What the kernel did, against the policy. */
	readonly fact: (typeof FACTS)[Fate];
	/** The rule that does it, as far as it can be named. */
	readonly cause: string;
};

/** What the kernel did, in the words of a report. */
export const FACTS = {open: 'passes', closed: 'is closed', forwarded: 'is forwarded'} as const;

/** What packets were sent to: the rules of a policy and other programs'. */
export type Proven = {
	readonly policy: Policy;
	readonly ruleSet: RuleSet;
	readonly source: RulesUnderTest;
};

/**
 * Compares what passed from each vantage point to what the policy opens.
 * @param tried the ports that packets were sent to
 */
export function viewAll(
	vantagePoints: readonly NamedVantagePoint[],
	observations: readonly Observation[],
	proven: Proven,
	tried: readonly PortRange[] = [ALL_PORTS],
): readonly View[] {
	return vantagePoints.map((vantagePoint) => {
		const seen = observations.find((one) => one.vantagePoint === vantagePoint);
		const rules = proven.ruleSet.families.find(({family}) => family === vantagePoint.family);
		const expected = perProtocol((protocol) =>
			rules ? intersectRanges(openPorts(rules, vantagePoint, protocol), tried) : [],
		);
		return viewOf({vantagePoint, passed: NO_PORTS, ...seen}, vantagePoint, expected, proven);
	});
}

/** The same for sources of which only the edges were tried. */
export function viewSampled(
	sampled: readonly SampledSource[],
	observations: readonly Observation[],
	proven: Omit<Proven, 'ruleSet'>,
): readonly View[] {
	const expectedOf = new Map(sampled.map((one) => [one.vantagePoint as VantagePoint, one]));
	return observations.flatMap((seen) => {
		const one = expectedOf.get(seen.vantagePoint);
		return one ? [viewOf(seen, one.vantagePoint, one.expected, proven)] : [];
	});
}

function viewOf(
	seen: Observation,
	vantagePoint: NamedVantagePoint,
	expected: Ports,
	{policy, source}: Omit<Proven, 'ruleSet'>,
): View {
	const {passed, forwarded = NO_PORTS, sent} = seen;
	const view = {
		...{vantagePoint, expected, passed, forwarded},
		published: sent ? publishedPorts(sent) : [],
	};
	const judged = judgesForwarded(policy, vantagePoint);
	return {
		...view,
		differences: PROTOCOLS.flatMap((protocol) =>
			comparePorts(view, protocol, judged).flatMap(({fate, ports}) =>
				byCause(fate === 'forwarded' ? oneByOne(ports) : ports, (port) => ({
					...{protocol, fact: FACTS[fate]},
					cause: findCause(port, FACTS[fate], protocol, view, source),
				})),
			),
		),
	};
}

function byCause(
	ports: readonly PortRange[],
	describe: (port: number) => Omit<PortDifference, 'ports'>,
): readonly PortDifference[] {
	const causes = new Map<string, PortDifference>();
	for (const range of ports) {
		const difference = describe(range.first);
		const {ports = []} = causes.get(difference.cause) ?? {};
		causes.set(difference.cause, {...difference, ports: [...ports, range]});
	}

	return [...causes.values()].map((one) => ({...one, ports: joinRanges(one.ports)}));
}

/** Each published port has a rule of its own, unless there are many. */
function oneByOne(ranges: readonly PortRange[]): readonly PortRange[] {
	return countPorts(ranges) > MOST_SINGLE
		? ranges
		: ranges.flatMap(({first, last}) =>
				Array.from({length: last - first + 1}, (_, index) => onePort(first + index)),
			);
}

const MOST_SINGLE = 256;

/** Names the rule that accepts or rejects a packet: in either backend, our own or another program's. */
function findCause(
	port: number,
	fact: PortDifference['fact'],
	protocol: Protocol,
	{vantagePoint, published}: Pick<View, 'vantagePoint' | 'published'>,
	source: RulesUnderTest,
): string {
	if (fact === FACTS.forwarded) {
		return publishedBy(onePort(port), source);
	}

	// INPUT does not decide on it.
	if (published.some((one) => one.protocol === protocol && one.first <= port && port <= one.last)) {
		return 'it is published, and its packets do not arrive there';
	}

	const {rules, nativeTables} = source;
	const mine = rules.filter(({family}) => family === vantagePoint.family);
	if (mine.length === 0 && nativeTables.length === 0) {
		return `there are no IPv${vantagePoint.family} rules`;
	}

	const decisions = mine.map((family) =>
		evaluate(family, firstPacket(vantagePoint, protocol, port)),
	);
	const decisive = decisions.find(({verdict}) => verdict === 'unknown') ?? culprit(decisions, fact);
	if (decisive === undefined) {
		return nativeTables.length > 0
			? `an nftables table, not part of this firewall: ${nativeTables.join(', ')}`
			: 'no rule of the filter table does it; see raw, mangle and nat';
	}

	const {by} = decisive;
	return by === undefined
		? 'no rule decides: the policy of INPUT'
		: `rule ${by.index} of ${by.chain}${by.chain.startsWith(OWN_PREFIX) ? '' : ', not part of this firewall'}`;
}

/** One decision is enough to block a port. To pass, a port needs all of them, and the first is named. */
function culprit(
	decisions: readonly Decision[],
	fact: PortDifference['fact'],
): Decision | undefined {
	const blocking = decisions.find(({verdict}) => verdict !== 'ACCEPT');
	return fact === 'is closed' ? blocking : blocking ? undefined : decisions[0];
}

/** Whether everything is as the policy says. */
export function isProven({views, checks}: Proof): boolean {
	return (
		views.every(({differences}) => differences.length === 0) &&
		checks.every(({result}) => result !== 'failed')
	);
}

/** Whether that is said of all that decides on packets here. */
export function isExact(proof: Proof): boolean {
	return isProven(proof) && proof.leftOut.length === 0;
}

/** Whether the only fault is that the connected remote client could not connect again, as the policy says. */
export function onlyLocksOut({views, checks}: Proof): boolean {
	const failed = checks.filter(({result}) => result === 'failed');
	return (
		views.every(({differences}) => differences.length === 0) &&
		failed.length > 0 &&
		failed.every(({wayIn}) => wayIn)
	);
}

/** The ports that are open, whoever serves them. */
export function openIn({passed, forwarded}: Pick<View, 'passed' | 'forwarded'>): Ports {
	return perProtocol((protocol) => joinRanges([...passed[protocol], ...forwarded[protocol]]));
}
