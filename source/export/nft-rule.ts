import type {Family} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {defaultReject, GROUP_PREFIX, type Match, type Rule} from '../ruleset/model.ts';
import {protocolNumberOf} from '../ruleset/protocol-names.ts';

const COMMENT_BYTES = 127;

/** The words of nft for a family. */
export const WORDS = {
	4: {table: 'ip fw_wizard', address: 'ip', type: 'ipv4_addr'},
	6: {table: 'ip6 fw_wizard', address: 'ip6', type: 'ipv6_addr'},
} as const;

/** The name of the chain of a group, and of its set if it has a name: `from_1`, `from_office`. */
export function groupName(chain: string): string {
	return chain.replace(GROUP_PREFIX, 'from_').replaceAll('-', '_');
}

/**
 * A rule as nft reads it, with its reason as its comment, or that of its opening. A line above has the reason where
 * nft cannot keep it whole.
 */
export function printRuleLines(rule: Rule, family: Family): readonly string[] {
	const {reason, comment} = rule;
	const line = printRule(rule, family);
	if (reason === undefined) {
		return [line];
	}

	const [kept = '', cut = kept] = [reason.text, comment ?? reason.text].map(quotable);
	return kept === reason.text
		? [`${line} comment "${kept}"`]
		: [
				`# ${reason.text}`,
				`${line} comment "${Buffer.byteLength(reason.text) > COMMENT_BYTES ? cut : kept}"`,
			];
}

/** A rule without a comment. Protocols are numbers, since nft finds their names only in /etc/protocols. */
function printRule({match, target}: Rule, family: Family): string {
	const words = matchWords(match, family);
	switch (target.kind) {
		case 'ACCEPT':
		case 'DROP':
		case 'RETURN':
			return [...words, target.kind.toLowerCase()].join(' ');
		case 'REJECT':
			return [
				...words,
				// Without more words nft answers with port unreachable.
				target.with === defaultReject(family) ? 'reject' : 'reject with tcp reset',
			].join(' ');
		case 'LOG':
			return [...words, `log prefix "${target.prefix}"`].join(' ');
		case 'CT':
			return [...words, `ct helper set "${objectName(target.helper, match.protocol ?? '')}"`].join(
				' ',
			);
		case 'chain':
			return [...words, `jump ${groupName(target.name)}`].join(' ');
		default:
			throw new RangeError(`a rule of fw-wizard has no target ${target.kind}`);
	}
}

function matchWords(match: Match, family: Family): readonly string[] {
	const {address} = WORDS[family];
	const {limit, hashlimit, until} = match;
	return [
		...(match.source === undefined ? [] : [`${address} saddr ${match.source}`]),
		...(match.destination === undefined ? [] : [`${address} daddr ${match.destination}`]),
		...(match.inInterface === undefined ? [] : [`iifname "${interfaceName(match.inInterface)}"`]),
		...(match.outInterface === undefined ? [] : [`oifname "${interfaceName(match.outInterface)}"`]),
		...protocolWords(match),
		...(match.syn ? ['tcp flags & (fin|syn|rst|ack) == syn'] : []),
		...(match.states === undefined ? [] : [`ct state ${match.states.join(',').toLowerCase()}`]),
		...translationWords(match),
		...(limit === undefined ? [] : [rateWords(limit)]),
		...(hashlimit === undefined
			? []
			: [
					`update @${setName(hashlimit.name)} { ${address} saddr${mask(hashlimit.sourceMask)} ${rateWords(hashlimit)} }`,
				]),
		...(until === undefined ? [] : [`meta time < ${Date.parse(until) / 1000 + 1}`]),
	];
}

/** What conntrack knows of a packet that was sent on. nft(8): `ct original proto-dst` asks no protocol by itself. */
function translationWords({translated, originalPorts, direction}: Match): readonly string[] {
	return [
		...(translated ? ['ct status dnat'] : []),
		...(direction === undefined ? [] : ['ct direction original']),
		...portWords('ct original proto-dst', originalPorts && [originalPorts]),
	];
}

/** iptables writes any rest of a name as `+`, nft as `*`. */
function interfaceName(pattern: string): string {
	return pattern.replace(/\+$/, '*');
}

function protocolWords(match: Match): readonly string[] {
	const {protocol, sourcePorts, destinationPorts, originalPorts, syn} = match;
	if (originalPorts !== undefined) {
		return [`meta l4proto ${protocolNumberOf(protocol ?? '')}`];
	}

	const hasPorts = sourcePorts !== undefined || destinationPorts !== undefined;
	if (protocol !== 'tcp' && protocol !== 'udp' && !hasPorts) {
		return protocol === undefined ? [] : [`meta l4proto ${protocolNumberOf(protocol)}`];
	}

	const ports = [
		...portWords(`${protocol} sport`, sourcePorts),
		...portWords(`${protocol} dport`, destinationPorts),
	];
	if (ports.length === 0 && !syn) {
		throw new RangeError(`a rule of fw-wizard accepts all of ${protocol}`);
	}

	return ports;
}

function portWords(field: string, ranges: readonly PortRange[] | undefined): readonly string[] {
	const list = (ranges ?? []).map((range) => printPorts(range, '-'));
	return list.length > 1
		? [`${field} { ${list.join(', ')} }`]
		: list.map((ports) => `${field} ${ports}`);
}

/** The words of a limit. For iptables it is 6/min, for nft 6/minute. */
function rateWords({rate, burst}: {readonly rate: string; readonly burst: number}): string {
	return `limit rate ${rate.replace(/min$/, 'minute')} burst ${burst} packets`;
}

/** Lets only the first bits of an address count, since one IPv6 subscriber has a /64. */
function mask(bits: number | undefined): string {
	return bits === undefined ? '' : ` & ${'ffff:'.repeat(bits / 16)}:`;
}

/** A name that nft takes: it has no dash. */
export function setName(name: string): string {
	return name.replaceAll('-', '_');
}

/** The name of a helper object. SIP has a helper for TCP and one for UDP with the same name. */
export function objectName(helper: string, protocol: string): string {
	return `${helper.toLowerCase().replaceAll(/[^a-z\d]/g, '_')}_${protocol}`;
}

/**
 * A text as a comment of at most 128 bytes with the zero at its end (NFTNL_UDATA_COMMENT_MAXLEN), of whole characters.
 * A quotation mark would end it, and nft has no way to write one.
 */
function quotable(whole: string): string {
	let text = '';
	for (const character of whole.replace(/["\\]/g, "'")) {
		if (Buffer.byteLength(text + character) > COMMENT_BYTES) {
			break;
		}

		text += character;
	}

	return text;
}
