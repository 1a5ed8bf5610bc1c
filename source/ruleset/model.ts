import type {Family} from '../lib/network.ts';
import type {PortRange} from '../lib/port-ranges.ts';

/**
 * The rule set as data: the kernel gets it, and every view is printed from it. A rule set that was
 * read from iptables-save has the same form, so that the two can be compared.
 */
export type RuleSet = {readonly families: readonly FamilyRules[]};

/** The two backends of iptables. Each has rules of its own, and the kernel evaluates both. */
export type Backend = 'nft' | 'legacy';

export type FamilyRules = {readonly family: Family; readonly tables: readonly Table[]};

export type Table = {readonly name: string; readonly chains: readonly Chain[]};

/** A chain. Built-in chains have a policy (ACCEPT or DROP), user-defined ones none. */
export type Chain = {
	readonly name: string;
	readonly policy?: string;
	readonly rules: readonly Rule[];
};

export type Rule = {
	readonly match: Match;
	readonly target: Target;
	/** The reason for the rule. Only our own rules have one. */
	readonly reason?: Reason;
	/** `-m comment --comment`: what the user says of the opening. Only our own rules have one here. */
	readonly comment?: string;
};

/** The purpose of a rule of our own. Every rule set has rules for the parts that are no choice of the user. */
export type Part =
	| 'solicited'
	| 'icmp'
	| 'loopback'
	| 'invalid'
	| 'dhcp'
	| 'blocked'
	| 'opening'
	| 'discovery'
	| 'log'
	| 'verdict'
	| 'helper'
	| 'inside'
	| 'direct'
	| 'jump';

export type Reason = {readonly part: Part; readonly text: string};

export const CT_STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'] as const;
export type CtState = (typeof CT_STATES)[number];

/** A rate as iptables writes it (`6/min`), and how many packets may exceed it at once. */
type Rate = {readonly rate: string; readonly burst: number};

/** The conditions of a rule. A packet matches if it meets each of them. */
export type Match = {
	/** CIDR, canonical. */
	readonly source?: string;
	readonly destination?: string;
	/** May end in `+`: all interfaces whose names begin so (iptables(8)). */
	readonly inInterface?: string;
	readonly outInterface?: string;
	/** In the one spelling of `canonicalProtocol`: tcp, udp, icmp, ipv6-icmp, igmp, esp, …, or its number. */
	readonly protocol?: string;
	readonly sourcePorts?: readonly PortRange[];
	readonly destinationPorts?: readonly PortRange[];
	/** `--syn`: SYN set, ACK, RST and FIN clear. */
	readonly syn?: true;
	/** `--ctstate`, sorted. */
	readonly states?: readonly CtState[];
	/** `--ctstate DNAT`: the packet was sent on to another address or port. */
	readonly translated?: true;
	/** `--ctorigdstport`: the port that it was sent to first. */
	readonly originalPorts?: PortRange;
	/** `--ctdir`: `ORIGINAL`: the packet is no answer. */
	readonly direction?: 'ORIGINAL';
	/** `-m time --datestop`, as an instant of UTC: the rule matches until the end of this second. */
	readonly until?: string;
	readonly limit?: Rate;
	/** `-m hashlimit`, per source address, or per source network of `sourceMask` bits. */
	readonly hashlimit?: Rate & {readonly name: string; readonly sourceMask?: number};
	/** Words of the rule of another program that fw-wizard does not model: whether the rule matches is unknown. */
	readonly unknown?: readonly string[];
};

export type Target =
	| {readonly kind: 'ACCEPT' | 'DROP' | 'RETURN'}
	| {readonly kind: 'REJECT'; readonly with: string}
	| {readonly kind: 'LOG'; readonly prefix: string}
	| {readonly kind: 'CT'; readonly helper: string}
	| {readonly kind: 'chain'; readonly name: string}
	/** A target of another program, or no target; `words` are those from -j on. */
	| {readonly kind: 'other'; readonly words: readonly string[]};

/** A chain of our own, with its table and the chain that jumps to it. */
export type OwnChain = {
	readonly name: string;
	readonly table: 'filter' | 'raw' | 'mangle';
	readonly from: string;
};

/** Our own chains that built-in chains jump to, once each. */
export const OWN_CHAINS: readonly [OwnChain, ...OwnChain[]] = [
	{name: 'FW-WIZARD-INPUT', table: 'filter', from: 'INPUT'},
	{name: 'FW-WIZARD-OUTPUT', table: 'raw', from: 'OUTPUT'},
	{name: 'FW-WIZARD-PREROUTING', table: 'raw', from: 'PREROUTING'},
	{name: 'FW-WIZARD-FORWARD', table: 'mangle', from: 'FORWARD'},
];

/** Their tables, in the order in which they are loaded. */
export const OWN_TABLES: readonly string[] = [...new Set(OWN_CHAINS.map(({table}) => table))];

/** Whether rules have one of our chains in a table. */
export function hasOwnChain(rules: FamilyRules, table: string): boolean {
	return OWN_CHAINS.some((own) => own.table === table && findChain(rules, table, own.name));
}

/** The beginning of the name of each of our chains, and of no other chain. */
export const OWN_PREFIX = 'FW-WIZARD-';

/**
 * The beginning of the name of a chain with the ports that are open to the same sources: FW-WIZARD-INPUT
 * jumps to it, once for each source. A number follows, from 1 on, or the name of a named group.
 */
export const GROUP_PREFIX = 'FW-WIZARD-FROM-';

export function isGroup(name: string): boolean {
	return name.startsWith(GROUP_PREFIX);
}

/** Whether a chain is that of a group with a name, and not of a list with a number. */
export function isNamedGroup(name: string): boolean {
	return isGroup(name) && Number.isNaN(numberOf(name));
}

function numberOf(group: string): number {
	return Number(group.slice(GROUP_PREFIX.length));
}

/**
 * All of our chains that one of these rule sets may have. Those of groups come first: a chain has to exist
 * before a rule jumps to it.
 */
export function ownChains(...rules: readonly FamilyRules[]): readonly OwnChain[] {
	const names = rules.flatMap(({tables}) =>
		tables
			.filter(({name}) => name === 'filter')
			.flatMap(({chains}) => chains.map(({name}) => name).filter(isGroup)),
	);
	return [...[...new Set(names)].sort(compareGroups).map(groupChain), ...OWN_CHAINS];
}

/** Numbers come before names. */
function compareGroups(a: string, b: string): number {
	const [left, right] = [a, b].map(numberOf);
	return (left || Infinity) - (right || Infinity) || (a < b ? -1 : 1);
}

/** The chain of a group by its name. */
export function groupChain(name: string): OwnChain {
	return {name, table: 'filter', from: 'FW-WIZARD-INPUT'};
}

export const LOG_PREFIX = 'fw-wizard: ';
export const LOG_LIMIT: Rate = {rate: '10/min', burst: 10};

/** The REJECT type of a family when none is given (iptables-extensions(8)). */
export function defaultReject(family: Family): string {
	return family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable';
}

/** A chain of a family's rules, or undefined. */
export function findChain(rules: FamilyRules, table: string, chain: string): Chain | undefined {
	return rules.tables.find(({name}) => name === table)?.chains.find(({name}) => name === chain);
}

/** A rule of our own, with its reason. */
export function ourRule(
	part: Part,
	text: string,
	match: Match,
	target: Target = {kind: 'ACCEPT'},
): Rule {
	return {match, target, reason: {part, text}};
}
