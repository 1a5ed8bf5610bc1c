import {
	countPorts,
	cutPorts,
	hasPort,
	intersectRanges,
	joinRanges,
	type PortRange,
	printPorts,
	subtractRanges,
} from '../../lib/port-ranges.ts';
import type {Verdict} from '../../policy/policy.ts';
import {type Protocol, perProtocol} from '../../policy/services.ts';
import {openPorts} from '../../ruleset/evaluate-ports.ts';
import type {RuleSet} from '../../ruleset/model.ts';
import type {NamedVantagePoint} from '../vantage-points.ts';
import type {PortState, Scan, ScannedPorts} from './read-scan.ts';

/** How a scan compares to a policy. */
export type ScanComparison = {
	/** How many ports the scan gives a state. */
	readonly ports: number;
	/** States that contradict the policy wherever the scan was made. One sentence each. */
	readonly differences: readonly string[];
	/** States that could not be compared. One sentence each. */
	readonly unjudged: readonly string[];
	/** Some states could be compared if it were known where the scan was made. */
	readonly dependsOnSource: boolean;
	/** Nothing contradicts the policy, seen from the first vantage point. */
	readonly proven: boolean;
};

/** Ports of one protocol that are open to all vantage points, to some of them, and to the first. */
type Opened = Readonly<Record<'all' | 'some' | 'first', readonly PortRange[]>>;

/**
 * Compares a scan to the rules of a policy. States that fit both an open and a closed port contradict
 * nothing. Neither do states that fit only some of the vantage points: where the scan was made is not in
 * its file.
 * @param vantagePoints where the scan may have been made, of its family; the most probable one first
 */
export function compareScan(
	scan: Scan,
	ruleSet: RuleSet,
	verdict: Verdict,
	vantagePoints: readonly NamedVantagePoint[],
): ScanComparison {
	if (ruleSet.families.every(({family}) => family !== scan.family)) {
		const difference = `IPv${scan.family} is not filtered, but ${scan.address} was scanned`;
		return {
			...{ports: countScanned(scan), differences: [difference], unjudged: []},
			...{dependsOnSource: false, proven: false},
		};
	}

	const opened = perProtocol((protocol) => openedTo(vantagePoints, ruleSet, protocol));
	const judged = scan.results.map((result) => judge(result, opened[result.protocol], verdict));
	const of = ` of ${scan.address}`;
	const unnamed =
		scan.unnamed > 0
			? [`the scan counts ${scan.unnamed} more ports${of}, but does not name them`]
			: [];
	return {
		ports: countScanned(scan),
		differences: judged.flatMap(({result, missing, excess}) => [
			...describe(missing, result, of, 'the policy opens it'),
			...describe(excess, result, of, 'the policy blocks it'),
		]),
		unjudged: [
			...judged.flatMap(({result, dependent, ambiguous}) => [
				...describe(
					dependent,
					result,
					of,
					'whether the policy allows it depends on where the scan was made',
				),
				...describe(
					ambiguous,
					result,
					of,
					'the scan does not say which; scan TCP and UDP one at a time',
				),
			]),
			...unnamed,
		],
		dependsOnSource: judged.some(({dependent}) => dependent.length > 0),
		proven: judged.every(({contradicts}) => !contradicts) && unnamed.length === 0,
	};
}

function countScanned({results}: Scan): number {
	return results.reduce((sum, {ports}) => sum + countPorts(ports), 0);
}

type Judgement = {
	readonly result: ScannedPorts;
	/** Open to every vantage point, but not in the scan. */
	readonly missing: readonly PortRange[];
	/** Open in the scan, but to no point to send packets from. */
	readonly excess: readonly PortRange[];
	/** Open to some of the vantage points only. */
	readonly dependent: readonly PortRange[];
	/** Not all of the states that these ports may have fit the policy. */
	readonly ambiguous: readonly PortRange[];
	/** Some of these ports contradict the policy, seen from the first vantage point, or may do so. */
	readonly contradicts: boolean;
};

function judge(result: ScannedPorts, opened: Opened, verdict: Verdict): Judgement {
	const {ports, protocol} = result;
	const states = 'state' in result ? [result.state] : result.states;
	const meanings = states.map((state) => meaningOf(state, protocol, verdict));
	const [isOpen, isClosed] = [meanings.includes('open'), meanings.includes('closed')];
	const closedToAll = subtractRanges(ports, [...opened.all, ...opened.some]);
	const closedToFirst = subtractRanges(ports, opened.first);
	const missing = isClosed ? intersectRanges(ports, opened.all) : [];
	const excess = isOpen ? closedToAll : [];
	const dependent = isOpen || isClosed ? intersectRanges(ports, opened.some) : [];
	const contradicting = [
		...(isClosed ? intersectRanges(ports, opened.first) : []),
		...(isOpen ? closedToFirst : []),
	];
	const certain = states.length === 1;
	return {
		result,
		missing: certain ? missing : [],
		excess: certain ? excess : [],
		dependent: certain ? dependent : [],
		ambiguous: certain ? [] : joinRanges([...missing, ...excess, ...dependent]),
		contradicts: contradicting.length > 0,
	};
}

/** Finds the ports that the rules open. */
function openedTo(
	vantagePoints: readonly NamedVantagePoint[],
	ruleSet: RuleSet,
	protocol: Protocol,
): Opened {
	const each = vantagePoints.map((vantagePoint) => {
		const rules = ruleSet.families.find(({family}) => family === vantagePoint.family);
		return rules ? openPorts(rules, vantagePoint, protocol) : [];
	});
	const found = {all: [] as PortRange[], some: [] as PortRange[]};
	// Between two of these ports no list of open ports begins or ends.
	for (const range of cutPorts(each.flat().flatMap(({first, last}) => [first, last + 1]))) {
		const count = each.filter((ports) => hasPort(ports, range.first)).length;
		if (count > 0) {
			found[count === each.length ? 'all' : 'some'].push(range);
		}
	}

	return {...found, first: each[0] ?? []};
}

/** What a state says about the firewall; `either` where it fits an open port and a closed one. */
function meaningOf(
	state: PortState,
	protocol: Protocol,
	verdict: Verdict,
): 'open' | 'closed' | 'either' {
	switch (state) {
		case 'open':
			return 'open';
		case 'closed':
			// The machine itself has answered, or a verdict that looks the same has.
			return verdict === 'reset' || (verdict === 'reject' && protocol === 'udp')
				? 'either'
				: 'open';
		case 'filtered':
			return 'closed';
		default:
			return 'either';
	}
}

/** More ranges than these are counted. */
const MOST_RANGES = 12;

/** `22/tcp of 192.0.2.1 is filtered: the policy opens it`; several ports in one sentence. */
function describe(
	ranges: readonly PortRange[],
	{protocol, ...result}: ScannedPorts,
	of: string,
	reason: string,
): readonly string[] {
	if (ranges.length === 0) {
		return [];
	}

	const states = 'state' in result ? [result.state] : result.states;
	const shown = ranges.slice(0, MOST_RANGES).map((range) => printPorts(range, '-'));
	const more = countPorts(ranges.slice(MOST_RANGES));
	const list = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
	return [`${list}/${protocol}${of} is ${states.join(' or ')}: ${reason}`];
}
