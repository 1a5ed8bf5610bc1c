import {groupBy} from '../lib/group-by.ts';
import {joinWords} from '../lib/list.ts';
import {FAMILIES, type Family, type Network, printNetwork} from '../lib/network.ts';
import {sourcesKey} from '../policy/merge-openings.ts';
import {
	isDiscovery,
	type Opening,
	type PortOpening,
	type ProtocolOpening,
	printOpening,
} from '../policy/opening.ts';
import {openingRules} from './build-openings.ts';
import {type Chain, GROUP_PREFIX, ourRule, type Rule} from './model.ts';

/** An opening for some sources only. */
type Narrow = PortOpening | ProtocolOpening;

/** The ports that a reason names. */
const MOST_NAMED = 3;

/** The openings of a family by how their rules are reached. */
export type GroupedOpenings = {
	/** Those that no chain of a group has. */
	readonly direct: readonly Opening[];
	/** The rules that lead from FW-WIZARD-INPUT to the chains. */
	readonly jumps: readonly Rule[];
	readonly chains: readonly Chain[];
};

/**
 * Puts openings that have all their sources in common into a chain of their own, where that makes fewer
 * rules: a jump for each source and a rule for each port, and not a rule for each port of each source. A
 * packet that no rule of the chain accepts returns. Measured with 1,000 sources (iptables-nft 1.8.9): for
 * one rule each the jumps are slower than the rules, for two they are faster.
 */
export function groupOpenings(
	openings: readonly Opening[],
	family: Family,
	plain: boolean,
): GroupedOpenings {
	const lists = groupBy(openings.filter(isNarrow), ({from}) => sourcesKey(from)).filter(
		([first]) => (first?.from?.length ?? 0) > 1,
	);
	// The same sources have a chain of the same name in both families.
	const groups = lists
		.map((members) => FAMILIES.map((one) => groupOf(members, one, plain)))
		.filter((both) => both.some(isWorthwhile))
		.map((both, index) => ({
			...(both[FAMILIES.indexOf(family)] as Group),
			name: `${GROUP_PREFIX}${index + 1}`,
		}))
		.filter(isWorthwhile);
	const members = new Set(groups.flatMap((group) => group.members));
	return {
		direct: openings.filter((opening) => !isNarrow(opening) || !members.has(opening)),
		jumps: groups.flatMap((group) =>
			group.sources.map((source) => jump(group.name, source, group.members)),
		),
		chains: groups.map(({name, rules}) => ({name, rules})),
	};
}

/** Openings of the same sources, in a family. */
type Group = {
	readonly members: readonly Narrow[];
	readonly sources: readonly Network[];
	/** The rules for one of the sources, or for each of them. */
	readonly rules: readonly Rule[];
};

function groupOf(members: readonly Narrow[], family: Family, plain: boolean): Group {
	const sources = (members[0]?.from ?? []).filter((source) => source.family === family);
	const rules = openingRules(members.map(withoutSources), family, {
		...{plain, whom: ` from ${sources.length} sources`},
	});
	return {members, sources, rules};
}

function isWorthwhile({sources, rules}: Group): boolean {
	return sources.length * rules.length > sources.length + rules.length;
}

function withoutSources({from: _, ...opening}: Narrow): Opening {
	return opening;
}

function isNarrow(opening: Opening): opening is Narrow {
	return !isDiscovery(opening) && opening.from !== undefined;
}

function jump(chain: string, source: Network, members: readonly Narrow[]): Rule {
	const names = members.map((member) => printOpening(withoutSources(member)));
	const more = names.length - MOST_NAMED;
	const shown = more > 1 ? [...names.slice(0, MOST_NAMED), `${more} more`] : names;
	return ourRule(
		'opening',
		`You opened ${joinWords(shown)} from ${printNetwork(source)}`,
		source.cidr.endsWith('/0') ? {} : {source: source.cidr},
		{kind: 'chain', name: chain},
	);
}
