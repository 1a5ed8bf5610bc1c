import {type Network, printNetwork} from '../lib/network.ts';
import {HELPER_NAMES, type HelperName} from './helpers.ts';
import {mergeOpenings} from './merge-openings.ts';
import {isDiscovery, type Opening, printOpening} from './opening.ts';
import type {PublishedChoice} from './published.ts';
import {isNamed, mergeGroups, printGroupFlag, type SourceGroup, withGroups} from './sources.ts';

export const ROLES = ['workstation', 'server'] as const;
/** What happens to packets to ports that are not open. `reset` answers TCP as a closed port does. */
export const VERDICTS = ['reject', 'reset', 'drop'] as const;

export type Role = (typeof ROLES)[number];
export type Verdict = (typeof VERDICTS)[number];

/** What the user wants. Every view of the firewall is derived from this one value. */
export type Policy = {
	readonly role: Role;
	readonly verdict: Verdict;
	readonly helpers: readonly HelperName[];
	readonly openings: readonly Opening[];
	/** The named groups that openings can be for, each of theirs among them. Absent: none. */
	readonly sources?: readonly SourceGroup[];
	/** Addresses and networks that reach nothing, whatever is open. Absent: none. */
	readonly blocked?: readonly Network[];
	/** Whether blocked packets are logged, rate limited, with the prefix "fw-wizard: ". */
	readonly log: boolean;
	/** Whether the openings govern ports that containers publish as well. Absent: these are left as they are. */
	readonly published?: 'policy';
	/** The interfaces with containers and guests behind them, where they are not `INNER_INTERFACES`. */
	readonly inner?: readonly string[];
};

/** Some fields of a policy, as flags on the command line give them. */
export type PolicyPart = {
	readonly [Key in Exclude<keyof Policy, 'published'>]?: Policy[Key] | undefined;
} & {readonly published?: PublishedChoice | undefined};

const SSH: Opening = {kind: 'port', protocol: 'tcp', first: 22, last: 22, limit: false};

/** The recommended policy for a role: a server has SSH open, a workstation nothing. */
export function defaultPolicy(role: Role): Policy {
	return {
		role,
		verdict: 'reject',
		helpers: [],
		openings: role === 'server' ? [SSH] : [],
		log: false,
	};
}

/**
 * Completes a policy. Fields that are not given are those of `base`, else as recommended for the role. Groups of
 * sources are added to those of `base`; every opening gets the networks that its groups have now.
 */
export function completePolicy(part: PolicyPart, base?: Policy): Policy {
	const start = base ?? defaultPolicy(part.role ?? 'workstation');
	const blocked = withoutRepetition(part.blocked ?? start.blocked ?? []);
	const openings = part.openings ?? start.openings;
	const sources = mergeGroups(openings.flatMap(groupsOf), start.sources, part.sources);
	return {
		role: part.role ?? start.role,
		verdict: part.verdict ?? start.verdict,
		helpers: HELPER_NAMES.filter((name) => (part.helpers ?? start.helpers).includes(name)),
		openings: mergeOpenings(openings.map((opening) => withNetworks(opening, sources))),
		...(sources.length === 0 ? {} : {sources}),
		...(blocked.length === 0 ? {} : {blocked}),
		log: part.log ?? start.log,
		...governed(part, start),
	};
}

function groupsOf(opening: Opening): readonly SourceGroup[] {
	return isDiscovery(opening) ? [] : (opening.from?.filter(isNamed) ?? []);
}

function withNetworks(opening: Opening, groups: readonly SourceGroup[]): Opening {
	return isDiscovery(opening) || opening.from === undefined
		? opening
		: {...opening, from: withGroups(opening.from, groups)};
}

/** The groups that no opening is for. */
export function unusedGroups({sources = [], openings}: Policy): readonly SourceGroup[] {
	const used = new Set(openings.flatMap(groupsOf).map(({name}) => name));
	return sources.filter(({name}) => !used.has(name));
}

function governed(part: PolicyPart, start: Policy): Pick<Policy, 'published' | 'inner'> {
	const inner = part.inner ?? start.inner;
	return (part.published ?? start.published) === 'policy'
		? {published: 'policy', ...(inner === undefined ? {} : {inner})}
		: {};
}

function withoutRepetition(networks: readonly Network[]): readonly Network[] {
	return [...new Map(networks.map((network) => [network.cidr, network])).values()];
}

/** The flags that give this policy on the command line. */
export function policyFlags(policy: Policy): readonly string[] {
	return [
		'--role',
		policy.role,
		'--verdict',
		policy.verdict,
		...policy.helpers.flatMap((helper) => ['--helper', helper]),
		...(policy.openings.length === 0
			? ['--no-open']
			: policy.openings.flatMap((opening) => ['--open', printOpening(opening)])),
		...(policy.sources ?? []).flatMap((group) => ['--source', printGroupFlag(group)]),
		...(policy.blocked ?? []).flatMap((network) => ['--block', printNetwork(network)]),
		...(policy.log ? ['--log'] : []),
		...(policy.published === undefined ? [] : ['--published', policy.published]),
	];
}
