import {normalizeAddress, parseNetwork} from '../lib/network.ts';

/** In the words of iptables-save, what matches only those who came before, or come too often. */
const COMES_AGAIN =
	/ -m recent --(?:update|rcheck)\b| --hashlimit-above | -m connlimit(?: --connlimit-(?!upto)\S+(?: (?!-)\S+)?)* --connlimit-above | -j SET\b/;
/** What matches everybody else. */
const RATE_LIMITS = new RegExp(
	[
		' -m limit --limit \\S+(?: --limit-burst \\d+)?',
		' -m hashlimit(?: --hashlimit-\\S+(?: (?!-)\\S+)?)+',
		' -m connlimit(?: --connlimit-\\S+(?: (?!-)\\S+)?)+',
		' -m recent ! --(?:update|rcheck)(?: --\\S+(?: (?!-)\\S+)?)*',
		// It notes who comes, and is not asked by any rule that is left.
		' -m recent --(?:set|remove)(?: --\\S+(?: (?!-)\\S+)?)*',
	].join('|'),
	'g',
);
/** The same in the words of nftables, where a set may hold it for each address. */
const NFT_COMES_AGAIN = /\b(?:limit rate|ct count|quota) over\b/;
const NFT_COMES_SELDOM =
	/(?:\b(?:add|update|delete|set \S+) @\S+ \{[^}]*\}|\b(?:add|update) @\S+ |\b(?:meter|flow table) \S+ (?:size \d+ )?\{[^}]*\}|\blimit rate (?!over)\S+(?: burst \d+ \S+)?|\bct count \d+|\bquota (?!over)\d+ \S+(?: used \d+ \S+)?) ?/g;

/**
 * Saved rules as they are for somebody who comes for the first time, and seldom: without the limits to
 * how often something is let in, without what shuts out those who exceed one, and without the notes
 * of who came. Packets that are sent one after the other to find open ports would exceed and spring them.
 */
export function withoutRateLimits(text: string): string {
	return text
		.split('\n')
		.flatMap((line) => {
			if (line.startsWith('-A ')) {
				return COMES_AGAIN.test(line) ? [] : [line.replaceAll(RATE_LIMITS, '')];
			}

			return NFT_COMES_AGAIN.test(line)
				? []
				: [isNftRule(line) ? line.replaceAll(NFT_COMES_SELDOM, '').trimEnd() : line];
		})
		.join('\n');
}

/**
 * A rule for one network, which iptables-save names ahead of all else. Not a link-local one: from
 * there comes what finds the neighbours.
 */
const FROM_NETWORK = /^-A \S+ -s (?!fe80:)([\da-f.:]+)\/(\d+) /;

/**
 * A save of iptables without the rules for networks that none of these addresses is in: of packets
 * from there they match none, and there may be thousands, which each packet has to pass.
 */
export function withSources(text: string, sources: readonly string[]): string {
	const around = new Set(
		sources.flatMap((source) =>
			Array.from(
				{length: source.includes(':') ? 129 : 33},
				(_, prefix) => parseNetwork(`${source}/${prefix}`).cidr,
			),
		),
	);
	return text
		.split('\n')
		.filter((line) => {
			const [, address = '', prefix] = FROM_NETWORK.exec(line) ?? [];
			const base = normalizeAddress(address);
			return base === undefined || around.has(`${base}/${prefix}`);
		})
		.join('\n');
}

/** A line within a chain; in a set stand elements, in a table definitions. */
function isNftRule(line: string): boolean {
	return /^\t\t(?!type |policy |elements|flags |size |timeout |gc-interval |devices? )/.test(line);
}

/** In the words of both, what decides by something that a copy of this machine does not have. */
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

/** By what else rules decide: sending a packet as a stranger says then nothing for certain. */
export function peculiaritiesOf(texts: readonly string[]): readonly string[] {
	return PECULIARITIES.filter(([sign]) => texts.some((text) => sign.test(text))).map(
		([, name]) => name,
	);
}
