import {joinRanges, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import {evaluate, isNonTerminating} from '../ruleset/evaluate.ts';
import {firstPacket, stretches, type VantagePoint} from '../ruleset/evaluate-ports.ts';
import {type FamilyRules, OWN_PREFIX, type Rule} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {UNKNOWN_VISIBILITY, type Visibility} from './aggregate.ts';
import type {Reach} from './model.ts';

/** More evaluations take longer than a user waits. */
const MAX_RULE_EVALUATIONS = 30_000_000;

/**
 * Derives from the rules alone which ports are open to a vantage point, for machines on which no packets
 * can be sent. Tables of nftables and forwarding are not evaluated: what depends on them is unknown.
 */
export function derive(
	vantagePoint: VantagePoint,
	{rules, nativeTables, unseen}: RulesUnderTest,
): Visibility {
	const mine = rules.filter(({family}) => family === vantagePoint.family);
	const parts = stretches(mine);
	const count = mine
		.flatMap(({tables}) => tables.flatMap(({chains}) => chains))
		.reduce((sum, chain) => sum + chain.rules.length, 0);
	if (parts.length * count > MAX_RULE_EVALUATIONS || mine.some(changesBeforeFilter)) {
		return UNKNOWN_VISIBILITY;
	}

	const hidden = nativeTables.length + unseen.length > 0;
	const judge = (protocol: Protocol) => {
		const found: Record<Reach, PortRange[]> = {open: [], shut: [], unknown: []};
		for (const {first, last} of parts) {
			const packet = firstPacket(vantagePoint, protocol, first);
			const verdicts = mine.map((one) => evaluate(one, packet).verdict);
			const reach = verdicts.some((verdict) => verdict === 'DROP' || verdict === 'REJECT')
				? 'shut'
				: hidden || verdicts.includes('unknown')
					? 'unknown'
					: 'open';
			found[reach].push({first, last});
		}

		return {open: joinRanges(found.open), unknown: joinRanges(found.unknown)};
	};
	const [tcp, udp] = [judge('tcp'), judge('udp')];
	return {
		open: {tcp: tcp.open, udp: udp.open},
		unknown: {tcp: tcp.unknown, udp: udp.unknown},
		forwarded: 'unknown',
	};
}

/** Whether rules that come before the filter table may drop packets, or send them to other ports. */
function changesBeforeFilter({tables}: FamilyRules): boolean {
	return tables
		.filter(({name}) => name !== 'filter')
		.flatMap(({chains}) =>
			chains.filter(({name}) => !/^(?:OUTPUT|POSTROUTING|FORWARD)$/.test(name)),
		)
		.some(({name, rules}) => !name.startsWith(OWN_PREFIX) && rules.some(mayDecide));
}

/** Targets that change only outgoing packets. */
const OUTGOING = new Set(['MASQUERADE', 'SNAT', 'CHECKSUM', 'TCPMSS']);

function mayDecide({target}: Rule): boolean {
	return target.kind === 'other'
		? !isNonTerminating(target.words) && !OUTGOING.has(target.words[1] ?? '')
		: target.kind === 'DROP' || target.kind === 'REJECT';
}
