import type {Family} from '../lib/network.ts';
import {countPorts, type PortRange, printPorts, subtractRanges} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import {type Decision, evaluate} from '../ruleset/evaluate.ts';
import {firstPacket, openPorts, type VantagePoint} from '../ruleset/evaluate-ports.ts';
import {OWN_PREFIX, type RuleSet} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {Check} from './checks/check.ts';
import type {Ports} from './count-nft.ts';
import type {SampledSource} from './divide-sources.ts';
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
	readonly passed: Ports;
	/** The names of other protocols, and the ports of SCTP, that passed. */
	readonly protocols?: readonly string[];
	readonly expected: Ports;
	readonly differences: readonly PortDifference[];
};

export type PortDifference = {
	readonly protocol: Protocol;
	readonly ports: readonly PortRange[];
	/** What the kernel did, against the policy. */
	readonly fact: 'passes' | 'is shut' | 'is forwarded';
	/** The rule that does it, as far as it can be named. */
	readonly cause: string;
};

const NO_PORTS: Ports = {tcp: [], udp: []};

/** Compares what passed from each vantage point to what the policy opens. */
export function viewAll(
	vantagePoints: readonly NamedVantagePoint[],
	observations: readonly Observation[],
	ruleSet: RuleSet,
	source: RulesUnderTest,
): readonly View[] {
	return vantagePoints.map((vantagePoint) => {
		const passed =
			observations.find((seen) => seen.vantagePoint === vantagePoint)?.passed ?? NO_PORTS;
		const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
		const expected: Ports = rules
			? {tcp: openPorts(rules, vantagePoint, 'tcp'), udp: openPorts(rules, vantagePoint, 'udp')}
			: NO_PORTS;
		return viewOf(vantagePoint, passed, expected, source);
	});
}

/** The same for sources of which only the edges were tried. */
export function viewSampled(
	sampled: readonly SampledSource[],
	observations: readonly Observation[],
	source: RulesUnderTest,
): readonly View[] {
	const expectedOf = new Map(sampled.map((one) => [one.vantagePoint as VantagePoint, one]));
	return observations.flatMap(({vantagePoint, passed}) => {
		const one = expectedOf.get(vantagePoint);
		return one ? [viewOf(one.vantagePoint, passed, one.expected, source)] : [];
	});
}

function viewOf(
	vantagePoint: NamedVantagePoint,
	passed: Ports,
	expected: Ports,
	source: RulesUnderTest,
): View {
	const differences = (['tcp', 'udp'] as const).flatMap((protocol) => [
		...differ(
			subtractRanges(passed[protocol], expected[protocol]),
			'passes',
			protocol,
			vantagePoint,
			source,
		),
		...differ(
			subtractRanges(expected[protocol], passed[protocol]),
			'is shut',
			protocol,
			vantagePoint,
			source,
		),
	]);
	return {vantagePoint, passed, expected, differences};
}

function differ(
	ports: readonly PortRange[],
	fact: PortDifference['fact'],
	protocol: Protocol,
	vantagePoint: NamedVantagePoint,
	source: RulesUnderTest,
): readonly PortDifference[] {
	const causes = new Map<string, PortRange[]>();
	for (const range of ports) {
		const cause = findCause(range.first, fact, protocol, vantagePoint, source);
		causes.set(cause, [...(causes.get(cause) ?? []), range]);
	}

	return [...causes].map(([cause, ports]) => ({protocol, ports, fact, cause}));
}

/** Names the rule that accepts or rejects a packet: in either backend, our own or another program's. */
function findCause(
	port: number,
	fact: PortDifference['fact'],
	protocol: Protocol,
	vantagePoint: NamedVantagePoint,
	{rules, nativeTables}: RulesUnderTest,
): string {
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
	return fact === 'is shut' ? blocking : blocking ? undefined : decisions[0];
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

/** `5432/tcp passes from anywhere over IPv4: rule 2 of INPUT, not part of this firewall` */
export function describePortDifference(view: View, difference: PortDifference): string {
	const {ports, protocol, fact, cause} = difference;
	const list = ports.slice(0, 8).map((range) => `${printPorts(range, '-')}/${protocol}`);
	const more = ports.length > list.length ? ` and ${ports.length - list.length} more` : '';
	return `${list.join(', ')}${more} ${fact} ${fromWhere(view)} over ${nameOf(view.vantagePoint.family)}: ${cause}`;
}

/** From where packets went only to the edges of the rules; undefined where from nowhere. */
export function describeSampled({sampled}: Proof): string | undefined {
	return (
		sampled &&
		`${sampled.networks} ${sampled.networks === 1 ? 'network' : 'networks'}, at both ends and just outside (${sampled.addresses} addresses): ${sampled.probes} packets to the ports where a rule begins or ends`
	);
}

/** More ranges than these are counted. */
const MOST_RANGES = 12;

/** `IPv4 from anywhere: 22, 53/tcp; 53/udp` */
export function describeView(view: View): string {
	const {vantagePoint, passed, protocols = []} = view;
	const ports = (['tcp', 'udp'] as const).flatMap((protocol) =>
		passed[protocol].length === 0
			? []
			: [
					passed[protocol].length > MOST_RANGES
						? `${countPorts(passed[protocol])} ports of ${protocol}`
						: `${passed[protocol].map((range) => printPorts(range, '-')).join(', ')}/${protocol}`,
				],
	);
	const parts = [...ports, ...(protocols.length > 0 ? [protocols.join(', ')] : [])];
	return `${nameOf(vantagePoint.family)} ${fromWhere(view)}: ${parts.join('; ') || 'nothing'}`;
}

/** `from anywhere`, `from 10.0.0.0/8`, `from just outside of 10.0.0.0/8` */
function fromWhere({vantagePoint: {kind, name}}: View): string {
	return `from ${kind === 'beside' ? 'just outside of ' : ''}${name}`;
}

function nameOf(family: Family): string {
	return `IPv${family}`;
}
