import type {Family} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {
	defaultReject,
	type FamilyRules,
	findChain,
	type Match,
	OWN_CHAINS,
	type OwnChain,
	type Rule,
	type RuleSet,
	type Target,
} from './model.ts';

/** Which of our chains and jumps a family has now; `jumps` counts each. */
export type Presence = {
	readonly chains: ReadonlySet<string>;
	readonly jumps: ReadonlyMap<string, number>;
};

export const NOTHING_PRESENT: Presence = {chains: new Set(), jumps: new Map()};

/** A rule without the chain it is in, as one types it after `-A CHAIN`. */
export function printRule(rule: Rule, family: Family): string {
	return [...matchWords(rule.match), ...targetWords(rule.target, family)].map(quote).join(' ');
}

/**
 * What iptables-restore --noflush loads: our chains are made or emptied and filled again, each
 * built-in chain gets its one jump, chains of ours that are no longer wanted go. `filter` comes
 * before `raw`: each table is a transaction of its own, and a bad helper must not stop the filter.
 */
export function printRestore(rules: FamilyRules, present: Presence = NOTHING_PRESENT): string {
	return printTables((own) => {
		const chain = findChain(rules, own.table, own.name);
		return chain
			? [
					`:${own.name} - [0:0]`,
					...chain.rules.map((rule) => `-A ${own.name} ${printRule(rule, rules.family)}`),
					...jumpLines(own, 1, present),
				]
			: removeChain(own, present);
	});
}

/**
 * The plain commands that do the same to an empty INPUT, without chains of our own: what one would
 * type or paste into a shell.
 */
export function printCommands(rules: FamilyRules): readonly string[] {
	const program = rules.family === 4 ? 'iptables' : 'ip6tables';
	return OWN_CHAINS.flatMap((own) =>
		(findChain(rules, own.table, own.name)?.rules ?? []).map(
			(rule) => `${program} -t ${own.table} -A ${own.from} ${printRule(rule, rules.family)}`,
		),
	);
}

/** Both families' restore files in one text, each under a comment that says which program loads it. */
export function printRestoreFiles(ruleSet: RuleSet): string {
	return ruleSet.families
		.map(
			(rules) =>
				`# ${rules.family === 4 ? 'iptables' : 'ip6tables'}-restore --noflush\n${printRestore(rules)}`,
		)
		.join('\n');
}

/** A restore file from the lines that each chain of ours needs, table by table. */
export function printTables(linesOf: (own: OwnChain) => readonly string[]): string {
	return [...new Set(OWN_CHAINS.map(({table}) => table))]
		.map((table) => {
			const lines = OWN_CHAINS.filter((own) => own.table === table).flatMap(linesOf);
			return lines.length > 0 ? `*${table}\n${lines.join('\n')}\nCOMMIT\n` : '';
		})
		.join('');
}

/** The lines that bring the jumps to a chain of ours to the `wanted` number. */
export function jumpLines(
	{name, from}: OwnChain,
	wanted: number,
	present: Presence,
): readonly string[] {
	const surplus = (present.jumps.get(name) ?? 0) - wanted;
	const line = `${surplus > 0 ? '-D' : '-A'} ${from} -j ${name}`;
	return Array.from({length: Math.abs(surplus)}, () => line);
}

/** The lines that take a chain of ours away, with the jumps to it. */
export function removeChain(own: OwnChain, present: Presence): readonly string[] {
	return [
		...jumpLines(own, 0, present),
		...(present.chains.has(own.name) ? [`-F ${own.name}`, `-X ${own.name}`] : []),
	];
}

function matchWords(match: Match): readonly string[] {
	return [
		...(match.source === undefined ? [] : ['-s', bareAddress(match.source)]),
		...(match.destination === undefined ? [] : ['-d', bareAddress(match.destination)]),
		...(match.inInterface === undefined ? [] : ['-i', match.inInterface]),
		...(match.protocol === undefined ? [] : ['-p', protocolWord(match.protocol)]),
		...portWords('sport', match.sourcePorts),
		...portWords('dport', match.destinationPorts),
		...(match.syn ? ['--syn'] : []),
		...(match.states === undefined ? [] : ['-m', 'conntrack', '--ctstate', match.states.join(',')]),
		...(match.limit === undefined
			? []
			: ['-m', 'limit', '--limit', match.limit.rate, '--limit-burst', `${match.limit.burst}`]),
		...(match.hashlimit === undefined ? [] : hashlimitWords(match.hashlimit)),
		...(match.unknown ?? []),
	];
}

function portWords(
	option: 'sport' | 'dport',
	ranges: readonly PortRange[] | undefined,
): readonly string[] {
	if (ranges === undefined) {
		return [];
	}

	const list = ranges.map((range) => printPorts(range, ':')).join(',');
	return ranges.length === 1 ? [`--${option}`, list] : ['-m', 'multiport', `--${option}s`, list];
}

function hashlimitWords(limit: NonNullable<Match['hashlimit']>): readonly string[] {
	return [
		...['-m', 'hashlimit', '--hashlimit-upto', limit.rate],
		...['--hashlimit-burst', `${limit.burst}`, '--hashlimit-mode', 'srcip'],
		...['--hashlimit-name', limit.name],
		...(limit.sourceMask === undefined ? [] : ['--hashlimit-srcmask', `${limit.sourceMask}`]),
	];
}

function targetWords(target: Target, family: Family): readonly string[] {
	switch (target.kind) {
		case 'REJECT':
			return target.with === defaultReject(family)
				? ['-j', 'REJECT']
				: ['-j', 'REJECT', '--reject-with', target.with];
		case 'LOG':
			return ['-j', 'LOG', '--log-prefix', target.prefix];
		case 'CT':
			return ['-j', 'CT', '--helper', target.helper];
		case 'chain':
			return ['-j', target.name];
		case 'other':
			return target.words;
		default:
			return ['-j', target.kind];
	}
}

/** iptables finds igmp only in /etc/protocols, which a minimal machine lacks; the others it knows. */
function protocolWord(protocol: string): string {
	return protocol === 'igmp' ? '2' : protocol;
}

function bareAddress(cidr: string): string {
	return cidr.replace(cidr.includes(':') ? /\/128$/ : /\/32$/, '');
}

/** Quotes as iptables-restore and a POSIX shell both read: only for words with anything unusual in them. */
function quote(word: string): string {
	return /^[\w.,:/@%+=!-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, '\\$&')}"`;
}
