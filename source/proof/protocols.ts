import {type Family, printNetwork} from '../lib/network.ts';
import {isPort} from '../lib/port-ranges.ts';
import {PROTOCOL_NUMBERS, protocolNumbered, SCTP} from '../policy/ip-protocols.ts';
import {isDiscovery} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import {networksOf} from '../policy/sources.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import type {RuleSet} from '../ruleset/model.ts';
import {spokenName} from '../services/protocol-use.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {
	installProtocolCounters,
	installProtocolMaker,
	removeProtocolTables,
} from '../testbed/protocol-packets.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {type Check, untried} from './checks/check.ts';
import {
	checkProtocols,
	compareProtocols,
	differencesOf,
	namesOf,
	type ProtocolDifference,
	packetOf,
} from './compare-protocols.ts';
import {changeGroups, groupsOf, sendProtocols} from './send-protocols.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** A port of SCTP that is tried under every policy. */
const SCTP_SAMPLE = 9;
/**
 * Protocols that are not tried: those of ports and of ICMP, which have rules of their own, and in IPv6 59,
 * after which nothing comes. DCCP and UDP-Lite: conntrack takes only whole packets of them for NEW.
 */
const NOT_TRIED: Readonly<Record<Family, ReadonlySet<number>>> = {
	4: new Set([6, 17, 33, SCTP, 136]),
	6: new Set([6, 17, 33, 58, 59, SCTP, 136]),
};

/** The numbers of the protocols that packets are sent of, in a family. */
export function triedNumbers(family: Family): readonly number[] {
	const {first, last} = PROTOCOL_NUMBERS;
	return Array.from({length: last - first + 1}, (_, index) => first + index).filter(
		(number) =>
			!NOT_TRIED[family].has(number) && protocolNumbered(number).families.includes(family),
	);
}

/**
 * Sends a packet of each protocol without ports, and to some ports of SCTP, and compares what passes to
 * what the policy opens: from strangers on each interface, from the networks that such openings name and
 * just outside of them, and from the remote client.
 */
export async function runProtocolChecks(
	testbed: Testbed,
	vantagePoints: readonly NamedVantagePoint[],
	policy: Policy,
	ruleSet: RuleSet,
	source: RulesUnderTest,
): Promise<ProtocolChecks> {
	const chosen = chooseVantagePoints(vantagePoints, policy);
	const name = 'only protocols that are opened pass';
	const numbers = {4: triedNumbers(4), 6: triedNumbers(6)};
	const {machine, outside} = testbed;
	const failure =
		(await installProtocolMaker(outside, numbers)) ??
		(await installProtocolCounters(machine, [
			...new Set(chosen.map(({inInterface}) => inInterface)),
		]));
	if (failure !== undefined) {
		return {
			checks: ruleSet.families.map(({family}) => untried(name, {family}, failure)),
			passed: new Map(),
			differences: [],
		};
	}

	const joined = await changeGroups(machine, chosen, 'replace');
	await testbed.seedNeighbours(chosen);
	const ports = sctpPortsOf(policy);
	const checks: Check[] = [];
	const differences: ProtocolDifference[] = [];
	const passed = new Map<NamedVantagePoint, readonly string[]>();
	for (const vantagePoint of chosen) {
		const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
		const groups = groupsOf(vantagePoint.family).filter(
			({number, group}) =>
				joined &&
				rules !== undefined &&
				evaluate(rules, {...packetOf(vantagePoint, number), destination: group}).verdict ===
					'ACCEPT',
		);
		const wanted = {numbers: numbers[vantagePoint.family], ports, groups};
		const seen = await sendProtocols(testbed, vantagePoint, wanted);
		if (rules === undefined || seen === undefined) {
			checks.push(untried(name, vantagePoint, 'the packets did not arrive'));
		} else {
			const tried = compareProtocols(vantagePoint, wanted, seen, rules);
			checks.push(checkProtocols(vantagePoint, tried, source));
			differences.push(...differencesOf(tried, source));
			passed.set(vantagePoint, namesOf(tried.filter(({passes}) => passes)));
		}
	}

	await changeGroups(machine, chosen, 'del');
	await removeProtocolTables(machine, outside);
	await testbed.forgetNeighbours();
	return {checks: [...checks, ...describeUntried(ruleSet, policy)], passed, differences};
}

/**
 * Sends a packet of each protocol without ports from each vantage point.
 * @returns the numbers of those that pass; nothing for a vantage point from which it could not be tried
 */
export async function sweepProtocols(
	testbed: Testbed,
	vantagePoints: readonly NamedVantagePoint[],
): Promise<ReadonlyMap<NamedVantagePoint, ReadonlySet<number>>> {
	const numbers = {4: triedNumbers(4), 6: triedNumbers(6)};
	const {machine, outside} = testbed;
	const names = [...new Set(vantagePoints.map(({inInterface}) => inInterface))];
	const passed = new Map<NamedVantagePoint, ReadonlySet<number>>();
	const failure =
		(await installProtocolMaker(outside, numbers)) ??
		(await installProtocolCounters(machine, names));
	if (failure === undefined) {
		await testbed.seedNeighbours(vantagePoints);
		for (const vantagePoint of vantagePoints) {
			const wanted = {numbers: numbers[vantagePoint.family], ports: [], groups: []};
			const seen = await sendProtocols(testbed, vantagePoint, wanted);
			if (seen !== undefined) {
				passed.set(vantagePoint, seen.numbers);
			}
		}

		await testbed.forgetNeighbours();
	}

	await removeProtocolTables(machine, outside);
	return passed;
}

export type ProtocolChecks = {
	readonly checks: readonly Check[];
	/** The names of what passed, for the vantage points that were tried. */
	readonly passed: ReadonlyMap<NamedVantagePoint, readonly string[]>;
	/** What passed against the policy, or did not. */
	readonly differences: readonly ProtocolDifference[];
};

/** A policy may name hundreds of networks for ports: these tell nothing of other protocols. */
function chooseVantagePoints(
	vantagePoints: readonly NamedVantagePoint[],
	{openings}: Policy,
): readonly NamedVantagePoint[] {
	const networks = new Set(
		openings.flatMap((opening) =>
			!isDiscovery(opening) && (opening.kind === 'protocol' || opening.protocol === 'sctp')
				? networksOf(opening.from ?? []).map(printNetwork)
				: [],
		),
	);
	return vantagePoints.filter(
		({kind, name}) => kind === 'anywhere' || kind === 'client' || networks.has(name),
	);
}

/** The first and the last port of each opening of SCTP, their neighbours, and one that is always tried. */
function sctpPortsOf({openings}: Policy): readonly number[] {
	const edges = openings.flatMap((opening) =>
		opening.kind === 'port' && opening.protocol === 'sctp'
			? [opening.first - 1, opening.first, opening.last, opening.last + 1]
			: [],
	);
	return [...new Set([SCTP_SAMPLE, ...edges])].filter(isPort).sort((a, b) => a - b);
}

/** The protocols that a policy opens and that cannot be tried, for each family. */
function describeUntried({families}: RuleSet, {openings}: Policy): readonly Check[] {
	return families.flatMap(({family}) => {
		const names = openings.flatMap((opening) =>
			opening.kind === 'protocol' &&
			opening.protocol.families.includes(family) &&
			opening.protocol.number !== SCTP &&
			NOT_TRIED[family].has(opening.protocol.number)
				? [spokenName(opening.protocol)]
				: [],
		);
		return [...new Set(names)].map((name) =>
			untried(`${name} passes where it is opened`, {family}, 'packets of it cannot be made here'),
		);
	});
}
