import {type Family, printNetwork} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {
	defaultReject,
	type FamilyRules,
	findChain,
	groupChain,
	isGroup,
	type Match,
	OWN_TABLES,
	type OwnChain,
	ownChains,
	type Rule,
	type RuleSet,
	type Target,
} from './model.ts';
import {protocolWord} from './protocol-names.ts';

/** Which of our chains a family has now, and how many jumps to each. */
export type Presence = {
	readonly chains: ReadonlySet<string>;
	readonly jumps: ReadonlyMap<string, number>;
};

export const NOTHING_PRESENT: Presence = {chains: new Set(), jumps: new Map()};

/** A rule without its chain, as it is typed behind `-A CHAIN`. */
export function printRule(rule: Rule, family: Family): string {
	const {match, comment, target} = rule;
	const words = [
		...matchWords(match),
		...(comment === undefined ? [] : ['-m', 'comment', '--comment', comment]),
		...targetWords(target, family),
	];
	return words.map(quote).join(' ');
}

/**
 * The input of iptables-restore --noflush. Our chains are created or emptied, and filled. Each built-in
 * chain gets one jump, and own chains that are no longer needed are deleted. `filter` comes before
 * `raw`: each table is a transaction of its own, and a helper that fails must not stop the filter.
 */
export function printRestore(rules: FamilyRules, present: Presence = NOTHING_PRESENT): string {
	const isKept = ({table, name}: OwnChain) => findChain(rules, table, name) !== undefined;
	// Groups are removed last, when nothing jumps to them any more.
	const gone = [...present.chains].filter(isGroup).map(groupChain);
	const chains = [...ownChains(rules), ...gone.filter((own) => !isKept(own))];
	return OWN_TABLES.map((table) => {
		const lines = chains
			.filter((own) => own.table === table)
			.flatMap((own) =>
				isKept(own)
					? [...chainLines(rules, own), ...jumpLines(own, 1, present)]
					: removeChain(own, present),
			);
		return lines.length > 0 ? `*${table}\n${lines.join('\n')}\nCOMMIT\n` : '';
	}).join('');
}

/**
 * The same table by table, without the jumps: the lines of the chains, and by whom each of them is
 * to be reached, as `FROM, TO, FROM, TO`.
 */
export function tableLines(rules: FamilyRules): ReadonlyArray<{
	readonly table: string;
	readonly lines: readonly string[];
	readonly jumps: readonly string[];
}> {
	return OWN_TABLES.map((table) => {
		const own = ownChains(rules).filter(
			(chain) => chain.table === table && findChain(rules, table, chain.name),
		);
		return {
			table,
			lines: own.flatMap((chain) => chainLines(rules, chain)),
			jumps: own.flatMap(({from, name}) => (isGroup(name) ? [] : [from, name])),
		};
	}).filter(({lines}) => lines.length > 0);
}

/** The lines that make one of our chains, or empty it, and fill it. */
function chainLines(rules: FamilyRules, {table, name}: OwnChain): readonly string[] {
	const chain = findChain(rules, table, name);
	return [
		`:${name} - [0:0]`,
		...(chain?.rules ?? []).map((rule) => `-A ${name} ${printRule(rule, rules.family)}`),
	];
}

/**
 * The commands that have the same effect on an empty INPUT, to be typed or pasted into a shell. Only
 * groups of sources have chains of their own.
 */
export function printCommands(rules: FamilyRules): readonly string[] {
	const program = rules.family === 4 ? 'iptables' : 'ip6tables';
	return ownChains(rules).flatMap(({name, table, from}) => [
		...(isGroup(name) && findChain(rules, table, name)
			? [`${program} -t ${table} -N ${name}`]
			: []),
		...(findChain(rules, table, name)?.rules ?? []).map(
			(rule) =>
				`${program} -t ${table} -A ${isGroup(name) ? name : from} ${printRule(rule, rules.family)}`,
		),
	]);
}

/** The restore files of both families in one text, each under a comment that names the program for it. */
export function printRestoreFiles(ruleSet: RuleSet): string {
	return ruleSet.families
		.map(
			(rules) =>
				`# ${rules.family === 4 ? 'iptables' : 'ip6tables'}-restore --noflush\n${printRestore(rules)}`,
		)
		.join('\n');
}

/**
 * The lines that add or delete jumps to one of our chains, so that their number is `wanted`. None for a group: what
 * jumps to it is in FW-WIZARD-INPUT, which is emptied as a whole.
 */
function jumpLines({name, from}: OwnChain, wanted: number, present: Presence): readonly string[] {
	if (isGroup(name)) {
		return [];
	}

	const surplus = (present.jumps.get(name) ?? 0) - wanted;
	const line = `${surplus > 0 ? '-D' : '-A'} ${from} -j ${name}`;
	return Array.from({length: Math.abs(surplus)}, () => line);
}

/** The lines that delete one of our chains, with the jumps to it. */
function removeChain(own: OwnChain, present: Presence): readonly string[] {
	return [
		...jumpLines(own, 0, present),
		...(present.chains.has(own.name) ? [`-F ${own.name}`, `-X ${own.name}`] : []),
	];
}

function matchWords(match: Match): readonly string[] {
	return [
		...(match.source === undefined ? [] : ['-s', printNetwork({cidr: match.source})]),
		...(match.destination === undefined ? [] : ['-d', printNetwork({cidr: match.destination})]),
		...(match.inInterface === undefined ? [] : ['-i', match.inInterface]),
		...(match.outInterface === undefined ? [] : ['-o', match.outInterface]),
		...(match.protocol === undefined ? [] : ['-p', protocolWord(match.protocol)]),
		...portWords('sport', match.sourcePorts),
		...portWords('dport', match.destinationPorts),
		...(match.syn ? ['--syn'] : []),
		...(match.states === undefined ? [] : ['-m', 'conntrack', '--ctstate', match.states.join(',')]),
		...translationWords(match),
		...(match.limit === undefined
			? []
			: ['-m', 'limit', '--limit', match.limit.rate, '--limit-burst', `${match.limit.burst}`]),
		...(match.hashlimit === undefined ? [] : hashlimitWords(match.hashlimit)),
		...(match.until === undefined
			? []
			: ['-m', 'time', '--datestop', match.until.replace(/Z$/, '')]),
		...(match.unknown ?? []),
	];
}

/** In the order of iptables-save. */
function translationWords({translated, originalPorts, direction}: Match): readonly string[] {
	const words = [
		...(translated ? ['--ctstate', 'DNAT'] : []),
		...(originalPorts === undefined ? [] : ['--ctorigdstport', printPorts(originalPorts, ':')]),
		...(direction === undefined ? [] : ['--ctdir', direction]),
	];
	return words.length === 0 ? [] : ['-m', 'conntrack', ...words];
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

/** Quotes a word as iptables-restore and a POSIX shell both read it, if it has unusual characters. */
function quote(word: string): string {
	return /^[\w.,:/@%+=!-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, '\\$&')}"`;
}
