import type {Family} from '../lib/network.ts';
import {
	type Chain,
	defaultReject,
	type FamilyRules,
	type Match,
	type Rule,
	type Table,
	type Target,
} from './model.ts';
import {isModelled, readOption} from './parse-match.ts';

/**
 * Reads the output of iptables-save into a canonical form: without comments, counters and redundant
 * `-m tcp`, with `-m state` as conntrack, states sorted, addresses in one spelling. Words of rules of
 * other programs that fw-wizard does not model are kept as they are in `unknown`.
 */
export function parseSave(text: string, family: Family): FamilyRules {
	const {read, rules} = readerOfSaves(family);
	for (const line of text.split('\n')) {
		read(line);
	}

	return rules;
}

/** Reads a save line by line; `rules` is what was read so far. */
type SaveReader = {
	readonly rules: FamilyRules;
	readonly read: (line: string) => void;
};

type OpenChain = Chain & {readonly rules: Rule[]};

/** The same line by line, so that a caller can do other things while it reads a large save. */
export function readerOfSaves(family: Family): SaveReader {
	const tables: Array<Table & {readonly chains: OpenChain[]}> = [];
	let chains = new Map<string, OpenChain>();
	const isChain = (name: string) => chains.has(name);
	return {
		rules: {family, tables},
		read(line) {
			const table = tables.at(-1);
			if (line.startsWith('*')) {
				tables.push({name: line.slice(1).trim(), chains: []});
				chains = new Map();
			} else if (line.startsWith(':') && table) {
				const [name = '', policy = '-'] = line.slice(1).split(' ');
				const chain = {name, rules: [], ...(policy === '-' ? {} : {policy})};
				table.chains.push(chain);
				chains.set(name, chains.get(name) ?? chain);
			} else if (/^(\[\d+:\d+\] )?-A /.test(line) && table) {
				const words = tokenize(line.startsWith('[') ? line.slice(line.indexOf('-A ')) : line);
				chains.get(words.texts[1] ?? '')?.rules.push(parseRule(words, 2, family, isChain));
			}
		},
	};
}

/** The words of a line. A quoted word is always a value, even if it looks like an option. */
type Words = {readonly texts: readonly string[]; readonly quoted: ReadonlySet<number>};

const NONE: ReadonlySet<number> = new Set();

/** Splits a line of a save into words. Double quotes group, and a backslash within them escapes. */
function tokenize(line: string): Words {
	// Most lines have no quotes, and a save may have thousands: these are split fast.
	if (/^[!#-~]+(?: [!#-~]+)*$/.test(line)) {
		return {texts: line.split(' '), quoted: NONE};
	}

	const quoted = new Set<number>();
	const texts = Array.from(
		line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g),
		([, inner, unquoted = ''], index) => {
			if (inner === undefined) {
				return unquoted;
			}

			quoted.add(index);
			return inner.replace(/\\(.)/g, '$1');
		},
	);
	return {texts, quoted};
}

/** @param first the index of the first word behind -A and the chain */
function parseRule(
	{texts, quoted}: Words,
	first: number,
	family: Family,
	isChain: (name: string) => boolean,
): Rule {
	const unknown: string[] = [];
	const match: Match = {};
	// The -m before an option gives it its meaning; options before the first -m are of iptables itself.
	let modelled = true;
	let index = first;
	while (index < texts.length) {
		const option = texts[index] ?? '';
		const value = texts[index + 1] ?? '';
		const isValue = quoted.has(index);
		if (!isValue && (option === '-j' || option === '-g')) {
			break;
		}

		if (!isValue && option === '-m') {
			modelled = isModelled(value, match, texts);
			unknown.push(...(modelled ? [] : [option, value]));
			index += 2;
		} else if (!isValue && option === '!') {
			unknown.push(option, value);
			index += 2;
		} else if (isValue || !modelled) {
			unknown.push(option);
			index += 1;
		} else if (option === '--syn' && match.syn === undefined) {
			Object.assign(match, {syn: true});
			index += 1;
		} else if (
			option === '--tcp-flags' &&
			value === 'FIN,SYN,RST,ACK' &&
			texts[index + 2] === 'SYN'
		) {
			Object.assign(match, {syn: true});
			index += 3;
		} else {
			const read = readOption(option, value, family, match);
			Object.assign(match, read);
			unknown.push(...(read ? [] : [option]));
			index += read ? 2 : 1;
		}
	}

	return {
		match: unknown.length > 0 ? {...match, unknown} : match,
		target: parseTarget(texts.slice(index), family, isChain),
	};
}

/** One object for all rules with such a target, since there may be thousands. */
const PLAIN = {
	ACCEPT: {kind: 'ACCEPT'},
	DROP: {kind: 'DROP'},
	RETURN: {kind: 'RETURN'},
} as const satisfies Record<string, Target>;

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
			return PLAIN[name];
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
