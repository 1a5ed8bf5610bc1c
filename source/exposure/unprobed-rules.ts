import {findOtherFilters} from '../host/netfilter/other-filters.ts';
import {joinSome} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';

/** Conditions of rules that the packets of a comparison need not meet: other packets may. */
const UNPROBED =
	/ --sports? | -m (?:length|ttl|hl|string|mac|dscp|tos|ecn|time|statistic|socket|owner|recent|physdev|u32|bpf|policy|geoip|connbytes|quota|frag|rt|rpfilter) /;
/** After these, our rules are not asked any more. */
const BYPASSING = / -j (?:ACCEPT|RETURN)\b| -g \S+$/;
/** More rules than these are counted. */
const MOST_NAMED = 3;

/**
 * Rules of other programs that may open ports to packets which were not tried: from a certain source port,
 * at a certain time. An ACCEPT opens something only in the filter table of the backend that has our rules.
 * @returns one phrase, or none
 */
export function describeUnprobed({loads}: RulesUnderTest): readonly string[] {
	const rules = loads
		.filter(({program}) => /^ip6?tables-restore$/.test(program))
		.flatMap(({text}) => /^\*filter\n([\s\S]*?)^COMMIT$/m.exec(text)?.[1]?.split('\n') ?? [])
		.filter(
			(line) =>
				line.startsWith('-A ') &&
				!/^-A (?:FORWARD|OUTPUT) /.test(line) &&
				!line.startsWith(`-A ${OWN_PREFIX}`) &&
				UNPROBED.test(line) &&
				BYPASSING.test(line),
		);
	const named = rules.map((line) => printable(line, 160));
	return rules.length === 0 ? [] : [`packets that meet ${joinSome(named, MOST_NAMED)}`];
}

/**
 * What decides on packets of this machine too, and has no copy in which they could be tried: one phrase each.
 * @throws {HostError} where ip(8) or tc(8) does not answer
 */
export async function findUncopied({nativeTables}: RulesUnderTest): Promise<readonly string[]> {
	const bridges = nativeTables.filter((name) => name.startsWith('bridge '));
	return [...(await findOtherFilters()), ...bridges.map((name) => `table ${name}`)];
}
