import {addressBits, normalizeAddress} from '../lib/network.ts';

/** Matches of iptables that apply only to sources which connected before, or connect too often. */
const OVER_LIMIT =
	/ -m recent --(?:update|rcheck)\b| --hashlimit-above | -m connlimit(?: --connlimit-(?!upto)\S+(?: (?!-)\S+)?)* --connlimit-above | -j SET\b/;
/** Matches of iptables that apply to all other sources. */
const RATE_LIMITS = new RegExp(
	[
		' -m limit --limit \\S+(?: --limit-burst \\d+)?',
		' -m hashlimit(?: --hashlimit-\\S+(?: (?!-)\\S+)?)+',
		' -m connlimit(?: --connlimit-\\S+(?: (?!-)\\S+)?)+',
		' -m recent ! --(?:update|rcheck)(?: --\\S+(?: (?!-)\\S+)?)*',
		// It records sources, for rules that are removed.
		' -m recent --(?:set|remove)(?: --\\S+(?: (?!-)\\S+)?)*',
	].join('|'),
	'g',
);
/** The same in nftables, where a set may have a limit for each address. */
const NFT_OVER_LIMIT = /\b(?:limit rate|ct count|quota) over\b/;
const NFT_RATE_LIMITS =
	/(?:\b(?:add|update|delete|set \S+) @\S+ \{[^}]*\}|\b(?:add|update) @\S+ |\b(?:meter|flow table) \S+ (?:size \d+ )?\{[^}]*\}|\blimit rate (?!over)\S+(?: burst \d+ \S+)?|\bct count \d+|\bquota (?!over)\d+ \S+(?: used \d+ \S+)?) ?/g;

/** It answers a client that connects, and lets it in once it has answered back (iptables-extensions(8), nft(8)). */
const SYNPROXY = / -j SYNPROXY\b.*$/;
const NFT_SYNPROXY = /\bsynproxy (?:name \S+|mss \d+ wscale \d+(?: timestamp)?(?: sack-perm)?)/;

/**
 * Saved rules without rate limits, without rules that block sources which exceed one, and without the
 * recording of sources: as they apply to the first packet of a source. Otherwise the packets of a
 * measurement, which come one after the other, would exceed the limits. They do not answer either: what
 * asks for an answer first accepts.
 */
export function withoutRateLimits(text: string): string {
	return text
		.split('\n')
		.flatMap((line) => {
			if (line.startsWith('-A ')) {
				return OVER_LIMIT.test(line)
					? []
					: [line.replaceAll(RATE_LIMITS, '').replace(SYNPROXY, ' -j ACCEPT')];
			}

			return NFT_OVER_LIMIT.test(line) ? [] : [isNftRule(line) ? withoutNftLimits(line) : line];
		})
		.join('\n');
}

function withoutNftLimits(line: string): string {
	return line.replaceAll(NFT_RATE_LIMITS, '').trimEnd().replace(NFT_SYNPROXY, 'accept');
}

/**
 * A rule for one network, which iptables-save prints before all other matches. Not a link-local network:
 * neighbour discovery comes from there.
 */
const FROM_NETWORK = /^-A \S+ -s (?!fe80:)([\da-f.:]+)\/(\d+) /;

/**
 * Saved rules of iptables without those for networks that hold none of the given addresses. Packets from
 * these addresses match none of them, and there may be thousands, which every packet has to pass.
 */
export function withSources(text: string, sources: readonly string[]): string {
	const around = new Set(
		sources.flatMap((source) => {
			const bits = addressBits(source);
			return Array.from(bits, (_, length) => bits.slice(0, length + 1));
		}),
	);
	return text
		.split('\n')
		.filter((line) => {
			const [, address = '', prefix = ''] = FROM_NETWORK.exec(line) ?? [];
			const base = normalizeAddress(address);
			return base === undefined || around.has(addressBits(base).slice(0, 1 + Number(prefix)));
		})
		.join('\n');
}

/** Whether a line is a rule in a chain. The lines in a set are elements, those in a table definitions. */
function isNftRule(line: string): boolean {
	return /^\t\t(?!type |policy |elements|flags |size |timeout |gc-interval |devices? )/.test(line);
}

/** Matches and targets, of iptables and nftables, that depend on what a copy of this machine does not have. */
const PECULIARITIES: ReadonlyArray<readonly [RegExp, string]> = [
	[/ -m time |\bmeta (?:hour|day|time)\b/, 'the time'],
	[/ -m statistic |\bnumgen random\b/, 'chance'],
	[/ -m (?:socket|owner|cgroup) |\bsocket (?:transparent|mark|wildcard|cgroupv2)\b/, 'sockets'],
	[/ -m recent ! /, 'who came before'],
	[/ -m (?:quota|connbytes|rateest) |\b(?:limit|quota|ct count) name\b/, 'how much came before'],
	[/ -m (?:bpf|u32) |@(?:ll|nh|th|ih),/, 'the bytes of a packet'],
	[/ -j (?:NFQUEUE|TPROXY)\b|\bqueue (?:num|to|flags)\b|\btproxy\b/, 'another program'],
	[/ -m mac |\bether saddr\b/, 'link-layer addresses'],
];

/** What the rules depend on, of this list. Then what happens to one packet need not happen to the next. */
export function peculiaritiesOf(texts: readonly string[]): readonly string[] {
	return PECULIARITIES.filter(([sign]) => texts.some((text) => sign.test(text))).map(
		([, name]) => name,
	);
}
