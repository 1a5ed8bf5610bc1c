import {type Family, respell} from '../policy/network.ts';
import {
	type Chain,
	CT_STATES,
	defaultReject,
	type FamilyRules,
	type Match,
	type PortRange,
	type Rule,
	type Table,
	type Target,
} from './ruleset.ts';

/**
 * Reads what iptables-save prints, canonically: comments, counters and redundant `-m tcp` gone,
 * `-m state` as conntrack, states sorted, addresses in one spelling. What another program's rule
 * says that we do not model is kept word for word in `unknown`.
 */
export function parseSave(text: string, family: Family): FamilyRules {
	const tables: Array<{name: string; chains: Array<Chain & {rules: Rule[]}>}> = [];
	for (const line of text.split('\n')) {
		const table = tables.at(-1);
		if (line.startsWith('*')) {
			tables.push({name: line.slice(1).trim(), chains: []});
		} else if (line.startsWith(':') && table) {
			const [name = '', policy = '-'] = line.slice(1).split(' ');
			table.chains.push({name, rules: [], ...(policy === '-' ? {} : {policy})});
		} else if (/^(\[\d+:\d+\] )?-A /.test(line) && table) {
			const [, name, ...words] = tokenize(line.replace(/^\[\d+:\d+\] /, ''));
			const isChain = (target: string) => table.chains.some((chain) => chain.name === target);
			table.chains
				.find((chain) => chain.name === name?.text)
				?.rules.push(parseRule(words, family, isChain));
		}
	}

	return {family, tables: tables as readonly Table[]};
}

/** A word of a save. A quoted one is always a value, whatever it looks like. */
type Word = {readonly text: string; readonly quoted: boolean};

/** Splits a line of a save into words: double quotes group, a backslash in them escapes. */
function tokenize(line: string): readonly Word[] {
	return [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, bare]) =>
		quoted === undefined
			? {text: bare ?? '', quoted: false}
			: {text: quoted.replace(/\\(.)/g, '$1'), quoted: true},
	);
}

/** What an option adds to a match, given its value; undefined where we do not model it. */
type Reader = (value: string, family: Family, match: Match) => Partial<Match> | undefined;

/** Other words for a protocol, as old versions and machines without /etc/protocols have them. */
const PROTOCOLS = new Map([
	['2', 'igmp'],
	['icmpv6', 'ipv6-icmp'],
]);

const READERS: Readonly<Record<string, Reader>> = {
	'-s': (value, family) => withAddress(value, family, (source) => ({source})),
	'-d': (value, family) => withAddress(value, family, (destination) => ({destination})),
	'-i': (value) => (value.endsWith('+') ? undefined : {inInterface: value}),
	'-p': (value) => ({protocol: PROTOCOLS.get(value) ?? value}),
	'--sport': (value) => withPorts(value, (sourcePorts) => ({sourcePorts})),
	'--sports': (value) => withPorts(value, (sourcePorts) => ({sourcePorts})),
	'--dport': (value) => withPorts(value, (destinationPorts) => ({destinationPorts})),
	'--dports': (value) => withPorts(value, (destinationPorts) => ({destinationPorts})),
	'--ctstate': withStates,
	'--state': withStates,
	'--limit': (rate, _, {limit}) => ({limit: {burst: 5, ...limit, rate}}),
	'--limit-burst': (burst, _, {limit}) => ({
		limit: {rate: '3/hour', ...limit, burst: Number(burst)},
	}),
	'--hashlimit-upto': (rate, _, match) => withHashlimit(match, {rate}),
	'--hashlimit-burst': (burst, _, match) => withHashlimit(match, {burst: Number(burst)}),
	'--hashlimit-name': (name, _, match) => withHashlimit(match, {name}),
	'--hashlimit-srcmask': (bits, _, match) => withHashlimit(match, {sourceMask: Number(bits)}),
	'--hashlimit-mode': (value) => (value === 'srcip' ? {} : undefined),
	'--comment': () => ({}),
};

const MODELLED_MATCHES = new Set([
	'tcp',
	'udp',
	'multiport',
	'conntrack',
	'state',
	'limit',
	'hashlimit',
	'comment',
]);

function parseRule(
	words: readonly Word[],
	family: Family,
	isChain: (name: string) => boolean,
): Rule {
	const texts = words.map(({text}) => text);
	const unknown: string[] = [];
	let match: Match = {};
	// An option means what the -m before it says; those before the first are iptables' own.
	let modelled = true;
	let index = 0;
	while (index < words.length) {
		const [option = '', value = '', second = ''] = texts.slice(index, index + 3);
		const quoted = words[index]?.quoted;
		if (!quoted && (option === '-j' || option === '-g')) {
			break;
		}

		if (!quoted && option === '-m') {
			modelled = isModelled(value, match, texts);
			unknown.push(...(modelled ? [] : [option, value]));
			index += 2;
		} else if (!quoted && option === '!') {
			unknown.push(option, value);
			index += 2;
		} else if (quoted || !modelled) {
			unknown.push(option);
			index += 1;
		} else if (option === '--syn' && match.syn === undefined) {
			match = {...match, syn: true};
			index += 1;
		} else if (option === '--tcp-flags' && value === 'FIN,SYN,RST,ACK' && second === 'SYN') {
			match = {...match, syn: true};
			index += 3;
		} else {
			const read = readOption(option, value, family, match);
			match = {...match, ...read};
			unknown.push(...(read ? [] : [option]));
			index += read ? 2 : 1;
		}
	}

	return {
		match: unknown.length > 0 ? {...match, unknown} : match,
		target: parseTarget(texts.slice(index), family, isChain),
	};
}

/** Whether we know a match through and through: not when it is there twice, nor a hashlimit over all sources. */
function isModelled(name: string, match: Match, words: readonly string[]): boolean {
	return (
		MODELLED_MATCHES.has(name) &&
		!(name in match) &&
		(name !== 'hashlimit' || words.includes('--hashlimit-mode'))
	);
}

/** What an option adds to a match; undefined where we do not model it, or it is there already. */
function readOption(
	option: string,
	value: string,
	family: Family,
	match: Match,
): Partial<Match> | undefined {
	const read = Object.hasOwn(READERS, option) ? READERS[option]?.(value, family, match) : undefined;
	const twice = Object.keys(read ?? {}).some(
		(key) => key in match && key !== 'limit' && key !== 'hashlimit',
	);
	return twice ? undefined : read;
}

function parseTarget(
	words: readonly string[],
	family: Family,
	isChain: (name: string) => boolean,
): Target {
	const [option, name = '', key, value] = words;
	if (option !== '-j') {
		return {kind: 'other', words};
	}

	switch (name) {
		case 'ACCEPT':
		case 'DROP':
		case 'RETURN':
			return {kind: name};
		case 'REJECT':
			return {
				kind: 'REJECT',
				with: key === '--reject-with' && value ? value : defaultReject(family),
			};
		case 'LOG':
			return words.length === 4 && key === '--log-prefix' && value !== undefined
				? {kind: 'LOG', prefix: value}
				: {kind: 'other', words};
		case 'CT':
			return words.length === 4 && key === '--helper' && value !== undefined
				? {kind: 'CT', helper: value}
				: {kind: 'other', words};
		default:
			return words.length === 2 && isChain(name) ? {kind: 'chain', name} : {kind: 'other', words};
	}
}

function withAddress(
	value: string,
	family: Family,
	build: (cidr: string) => Partial<Match>,
): Partial<Match> | undefined {
	const [text = '', prefix = family === 4 ? '32' : '128'] = value.split('/');
	const address = respell(text);
	// A netmask with holes, which iptables can have and CIDR cannot say, is not modelled.
	return address !== undefined && /^\d+$/.test(prefix) ? build(`${address}/${prefix}`) : undefined;
}

function withHashlimit(
	{hashlimit}: Match,
	part: Partial<NonNullable<Match['hashlimit']>>,
): Partial<Match> {
	return {hashlimit: {rate: '', burst: 5, name: '', ...hashlimit, ...part}};
}

function withPorts(
	value: string,
	build: (ranges: readonly PortRange[]) => Partial<Match>,
): Partial<Match> | undefined {
	const ranges = value.split(',').map((range) => {
		const [first = '', last = first] = range.split(':');
		return {first: Number(first), last: Number(last)};
	});
	return /^\d+(:\d+)?(,\d+(:\d+)?)*$/.test(value) ? build(ranges) : undefined;
}

/** Conntrack's SNAT and DNAT are no states, and not modelled. */
function withStates(value: string): Partial<Match> | undefined {
	const names = value.split(',');
	const states = CT_STATES.filter((state) => names.includes(state));
	return states.length === names.length ? {states} : undefined;
}
