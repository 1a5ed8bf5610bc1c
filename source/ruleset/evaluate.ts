import {contains, isMulticast} from '../lib/network.ts';
import {hasPort, type PortRange} from '../lib/port-ranges.ts';
import {isOver} from '../policy/ending.ts';
import {isInterface} from '../policy/interface-pattern.ts';
import {type FamilyRules, findChain, type Match, OWN_PREFIX, type Rule} from './model.ts';
import type {Packet} from './packet.ts';

/** A rule with its position: `index` counts from 1, as iptables does. */
type RulePosition = {readonly chain: string; readonly index: number; readonly rule: Rule};

export type Decision =
	| {readonly verdict: 'ACCEPT' | 'DROP' | 'REJECT'; readonly by: RulePosition}
	/** No rule decided, but the policy of the built-in chain. */
	| {readonly verdict: 'ACCEPT' | 'DROP'; readonly by: undefined}
	/** A rule of another program might decide, which fw-wizard cannot evaluate. */
	| {readonly verdict: 'unknown'; readonly by: RulePosition};

/**
 * What INPUT of the filter table decides on a packet: the first rule that matches decides, in the
 * order in which netfilter walks the chains (iptables(8)). Rate limits are taken as not exceeded,
 * and rules that end are judged by the clock.
 */
export function evaluate(rules: FamilyRules, packet: Packet): Decision {
	const policy = findChain(rules, 'filter', 'INPUT')?.policy === 'DROP' ? 'DROP' : 'ACCEPT';
	return walk(rules, 'INPUT', packet, new Set()) ?? {verdict: policy, by: undefined};
}

/**
 * What the rules of all tables and both backends decide on a packet to this machine.
 * @returns undefined where a rule that fw-wizard does not model may decide, or send the packet elsewhere
 */
export function evaluateAll(rules: readonly FamilyRules[], packet: Packet): Decision | undefined {
	const mine = rules.filter(({family}) => family === packet.family);
	if (mine.some(changesBeforeFilter)) {
		return undefined;
	}

	const decisions = mine.map((one) => evaluate(one, packet));
	// A packet has to pass both backends.
	return (
		decisions.find(({verdict}) => verdict === 'DROP' || verdict === 'REJECT') ??
		(decisions.some(({verdict}) => verdict === 'unknown')
			? undefined
			: (decisions.find(({by}) => by !== undefined) ??
				decisions[0] ?? {verdict: 'ACCEPT', by: undefined}))
	);
}

/** Whether rules that come before the filter table may drop packets, or send them to other ports. */
function changesBeforeFilter({tables}: FamilyRules): boolean {
	return tables
		.filter(({name}) => name !== 'filter')
		.flatMap(({chains}) =>
			chains.filter(({name}) => !/^(?:OUTPUT|POSTROUTING|FORWARD)$/.test(name)),
		)
		.some(
			({name, policy, rules}) =>
				policy === 'DROP' || (!name.startsWith(OWN_PREFIX) && rules.some(mayDecide)),
		);
}

/** Targets that change only outgoing packets. */
const OUTGOING = new Set(['MASQUERADE', 'SNAT', 'CHECKSUM', 'TCPMSS']);

function mayDecide({target}: Rule): boolean {
	return target.kind === 'other'
		? !isNonTerminating(target.words) && !OUTGOING.has(target.words[1] ?? '')
		: target.kind === 'DROP' || target.kind === 'REJECT';
}

function walk(
	rules: FamilyRules,
	chain: string,
	packet: Packet,
	visited: ReadonlySet<string>,
): Decision | undefined {
	const list = visited.has(chain) ? [] : (findChain(rules, 'filter', chain)?.rules ?? []);
	for (const [position, rule] of list.entries()) {
		const by: RulePosition = {chain, index: position + 1, rule};
		const matched = matches(rule.match, packet);
		if (matched === false) {
			continue;
		}

		const {target} = rule;
		if (target.kind === 'LOG' || (target.kind === 'other' && isNonTerminating(target.words))) {
			continue;
		}

		if (matched === 'unknown') {
			return {verdict: 'unknown', by};
		}

		if (target.kind === 'RETURN') {
			return undefined;
		}

		if (target.kind === 'ACCEPT' || target.kind === 'DROP' || target.kind === 'REJECT') {
			return {verdict: target.kind, by};
		}

		if (target.kind !== 'chain') {
			return {verdict: 'unknown', by};
		}

		const decision = walk(rules, target.name, packet, new Set([...visited, chain]));
		if (decision) {
			return decision;
		}
	}

	return undefined;
}

/** Targets after which netfilter continues with the next rule, as it does behind a rule without a target (iptables(8)). */
const NON_TERMINATING = new Set(['LOG', 'NFLOG', 'MARK', 'CONNMARK', 'SET', 'TRACE', 'AUDIT']);

/** Whether netfilter continues behind a rule whose words from -j on are these. */
export function isNonTerminating([, name]: readonly string[]): boolean {
	return name === undefined || NON_TERMINATING.has(name);
}

function matches(match: Match, packet: Packet): boolean | 'unknown' {
	const reached = matchesDestination(match.destination, packet.destination);
	const known =
		(match.source === undefined || contains(match.source, packet.source)) &&
		reached !== false &&
		(match.inInterface === undefined || isInterface(match.inInterface, packet.inInterface)) &&
		match.outInterface === undefined &&
		(match.protocol === undefined || match.protocol === packet.protocol) &&
		within(match.sourcePorts, packet.sourcePort) &&
		within(match.destinationPorts, packet.destinationPort) &&
		(match.syn === undefined || packet.syn === true) &&
		!isOver(match) &&
		(match.states === undefined || match.states.includes(packet.state));
	const isHidden =
		match.unknown !== undefined ||
		reached === 'unknown' ||
		// What a packet was sent to before nat is not known here.
		[match.translated, match.originalPorts, match.direction].some((one) => one !== undefined);
	return known && isHidden ? 'unknown' : known;
}

/** A packet without a destination goes to an address of this machine, which is never a multicast address. */
function matchesDestination(
	cidr: string | undefined,
	destination: string | undefined,
): boolean | 'unknown' {
	if (cidr === undefined) {
		return true;
	}

	if (destination !== undefined) {
		return contains(cidr, destination);
	}

	return isMulticast(cidr) ? false : 'unknown';
}

function within(ranges: readonly PortRange[] | undefined, port: number | undefined): boolean {
	return ranges === undefined || (port !== undefined && hasPort(ranges, port));
}
