import {joinRanges, type PortRange} from '../lib/port-ranges.ts';
import {type Protocol, perProtocol} from '../policy/services.ts';
import {evaluateAll} from '../ruleset/evaluate.ts';
import {firstPacket, stretches, type VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {Load, RulesUnderTest} from '../testbed/load-rules.ts';
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
	{loads, rules, nativeTables, unseen}: RulesUnderTest,
): Visibility {
	const mine = rules.filter(({family}) => family === vantagePoint.family);
	const parts = stretches(mine);
	const count = mine
		.flatMap(({tables}) => tables.flatMap(({chains}) => chains))
		.reduce((sum, chain) => sum + chain.rules.length, 0);
	if (parts.length * count > MAX_RULE_EVALUATIONS || loads.some(mayRedirect)) {
		return UNKNOWN_VISIBILITY;
	}

	const hidden = nativeTables.length + unseen.length > 0;
	const judge = (protocol: Protocol) => {
		const found: Record<Reach, PortRange[]> = {open: [], shut: [], unknown: []};
		for (const {first, last} of parts) {
			const packet = firstPacket(vantagePoint, protocol, first);
			const verdict = evaluateAll(mine, packet)?.verdict;
			const reach =
				verdict === 'DROP' || verdict === 'REJECT'
					? 'shut'
					: hidden || verdict === undefined
						? 'unknown'
						: 'open';
			found[reach].push({first, last});
		}

		return {open: joinRanges(found.open), unknown: joinRanges(found.unknown)};
	};
	const judged = perProtocol(judge);
	return {
		open: perProtocol((protocol) => judged[protocol].open),
		unknown: perProtocol((protocol) => judged[protocol].unknown),
		forwarded: 'unknown',
	};
}

/** Whether a table of nftables may send packets to other ports, so that a port which is closed is reachable by another. */
function mayRedirect({program, text}: Load): boolean {
	return program === 'nft' && /\b(?:dnat|redirect|tproxy|fwd)\b/.test(text);
}
