import {joinRanges, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import {evaluate, isNonTerminating} from '../ruleset/evaluate.ts';
import {firstPacket, stretches} from '../ruleset/evaluate-ports.ts';
import {type FamilyRules, OWN_PREFIX, type Rule} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import {UNKNOWN_VISIBILITY, type Visibility} from './aggregate.ts';
import type {Reach} from './model.ts';
import type {Place} from './viewpoints.ts';

/** More steps than that from rule to rule take longer than anybody waits. */
const MAX_RULE_EVALUATIONS = 30_000_000;

/**
 * What is open from a place by the rules alone, where no packets can be sent. Tables of nftables are
 * not judged, nor is forwarding: what they may change is not known.
 */
export function derive(place: Place, {rules, nativeTables, unseen}: RulesUnderTest): Visibility {
	const mine = rules.filter(({family}) => family === place.family);
	const parts = stretches(mine);
	const count = mine
		.flatMap(({tables}) => tables.flatMap(({chains}) => chains))
		.reduce((sum, chain) => sum + chain.rules.length, 0);
	if (parts.length * count > MAX_RULE_EVALUATIONS || mine.some(changesOnTheWay)) {
		return UNKNOWN_VISIBILITY;
	}

	const hidden = nativeTables.length + unseen.length > 0;
	const judge = (protocol: Protocol) => {
		const found: Record<Reach, PortRange[]> = {open: [], shut: [], unknown: []};
		for (const {first, last} of parts) {
			const packet = firstPacket(place, protocol, first);
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

/** Whether rules ahead of the filter table may drop packets or send them to other ports. */
function changesOnTheWay({tables}: FamilyRules): boolean {
	return tables
		.filter(({name}) => name !== 'filter')
		.flatMap(({chains}) =>
			chains.filter(({name}) => !/^(?:OUTPUT|POSTROUTING|FORWARD)$/.test(name)),
		)
		.some(({name, rules}) => !name.startsWith(OWN_PREFIX) && rules.some(decides));
}

/** Targets that change only packets that leave. */
const LEAVES = new Set(['MASQUERADE', 'SNAT', 'CHECKSUM', 'TCPMSS']);

function decides({target}: Rule): boolean {
	return target.kind === 'other'
		? !isNonTerminating(target.words) && !LEAVES.has(target.words[1] ?? '')
		: target.kind === 'DROP' || target.kind === 'REJECT';
}
