import {type Network, parseAddress, parseNetwork, prefixBits} from '../lib/network.ts';
import type {SourceNetwork} from '../proof/vantage-points.ts';
import {GROUP_PREFIX} from '../ruleset/model.ts';

const NETWORK = /(?<![\w.:])(?:\d+(?:\.\d+){3}|[\da-f]*:[\da-f:]*:[\da-f]*)(?:\/\d+)?(?![\w.:])/gi;
const RANGE = /(?<![\w.:])([\da-f.:]+[.:][\da-f]*)-([\da-f.:]+[.:][\da-f]*)(?![\w.:])/gi;

/**
 * Finds the networks that rules allow more than others: a rule accepts their packets, or rejects those of
 * all others. Reads the output of iptables-save, ipset and nft.
 */
export function sourcesInRules(texts: readonly string[]): readonly SourceNetwork[] {
	const sets = new Map<string, readonly Network[]>();
	const found: SourceNetwork[] = [];
	for (const text of texts) {
		for (const [, name = '', element = ''] of text.matchAll(/^add (\S+) (\S+)/gm)) {
			// The members of a set may be sets (list:set of ipset(8)).
			const members = sets.get(element) ?? networksIn(element);
			sets.set(name, [...(sets.get(name) ?? []), ...members]);
		}

		for (const [, name = '', body = ''] of text.matchAll(/^\tset (\S+) \{([\s\S]*?)^\t\}/gm)) {
			const elements = /elements = \{([^}]*)\}/.exec(body)?.[1] ?? '';
			sets.set(`@${name}`, networksIn(elements));
		}
	}

	for (const line of texts.flatMap((text) => text.split('\n'))) {
		const on = / -i (\S+)|\biifname "([^"]+)"/.exec(line)?.slice(1).find(Boolean);
		for (const network of sourcesOf(line, sets)) {
			found.push({network, ...(on === undefined ? {} : {on})});
		}
	}

	const unique = new Map(found.map((one) => [`${one.network.cidr} ${one.on}`, one]));
	return [...unique.values()].filter(({network}) => !network.cidr.endsWith('/0'));
}

/**
 * Networks in rules that hold a good part of all addresses, as 0.0.0.0/1 and 2000::/3. What rules do with
 * them they do with everybody.
 */
export function broadNetworks(texts: readonly string[]): readonly SourceNetwork[] {
	const found = texts.flatMap(networksIn).filter(isBroad);
	return [...new Map(found.map((network) => [network.cidr, {network}])).values()];
}

/** Whether a network holds a good part of all addresses from which packets come. */
export function isBroad({cidr, family}: Network): boolean {
	const [base = '', prefix] = cidr.split('/');
	return (
		Number(prefix) > 0 &&
		Number(prefix) <= (family === 4 ? 7 : 4) &&
		// Multicast and reserved addresses (RFC 5771, RFC 1112) are no sources.
		(family === 6 || Number(base.split('.')[0]) < 224)
	);
}

const ACCEPTS = new RegExp(
	` -j (?:ACCEPT|RETURN|DNAT|REDIRECT|${GROUP_PREFIX}[a-z\\d-]+)\\b| (?:accept|return|dnat|redirect)\\b`,
);

/** The networks that a rule allows more than others. */
function sourcesOf(line: string, sets: ReadonlyMap<string, readonly Network[]>) {
	if (/--(?:ct)?state (?!\S*NEW)/.test(line) || /^-A (?:OUTPUT|POSTROUTING) /.test(line)) {
		return [];
	}

	const accepts = ACCEPTS.test(line);
	const [, negated, source, set] =
		/(?: (! )?-s (\S+)| (?:! )?--match-set (\S+) src)/.exec(line) ??
		/\bip6? saddr (!= )?(\{[^}]*\}|@\S+|\S+)/.exec(line) ??
		[];
	const excepts = negated !== undefined || / ! --match-set /.test(line);
	return accepts === excepts || (source ?? set) === undefined
		? []
		: set !== undefined || source?.startsWith('@')
			? (sets.get(set ?? source ?? '') ?? [])
			: networksIn(source ?? '');
}

function networksIn(text: string): readonly Network[] {
	return (text.match(NETWORK) ?? []).flatMap((word) => {
		try {
			return [parseNetwork(word)];
		} catch {
			return [];
		}
	});
}

/**
 * Whether rules name an address, as a part of a network or of a range, to allow or to block it. Blocked
 * networks are often unused ones (bogons), or those of whole countries.
 */
export function referencesIn(texts: readonly string[]): (address: string) => boolean {
	const reaches = new Set<string>();
	const ranges: Array<readonly [string, string]> = [];
	for (const text of texts) {
		for (const network of networksIn(text)) {
			if (!network.cidr.endsWith('/0')) {
				reaches.add(prefixBits(network));
			}
		}

		for (const [, first = '', last = ''] of text.matchAll(RANGE)) {
			const ends = [first, last].map(bitsOf);
			if (ends[0] !== undefined && ends[1] !== undefined) {
				ranges.push([ends[0], ends[1]]);
			}
		}
	}

	return (address) => {
		const bits = bitsOf(address) ?? '';
		return (
			Array.from(bits, (_, length) => bits.slice(0, length + 1)).some((reach) =>
				reaches.has(reach),
			) || ranges.some(([first, last]) => first <= bits && bits <= last)
		);
	};
}

function bitsOf(address: string): string | undefined {
	try {
		parseAddress(address);
		return prefixBits(parseNetwork(address));
	} catch {
		return undefined;
	}
}
