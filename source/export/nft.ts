import {groupBy} from '../lib/group-by.ts';
import type {Family} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {type HelperName, helperOf} from '../policy/helpers.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import {
	defaultReject,
	type FamilyRules,
	findChain,
	GROUP_PREFIX,
	type Match,
	ourRule,
	ownChains,
	type Rule,
} from '../ruleset/model.ts';
import {protocolNumberOf} from '../ruleset/protocol-names.ts';

/** The hook of nftables for each of our chains (nft(8), "Chains"). */
const HOOKS: Readonly<Record<string, string>> = {
	'FW-WIZARD-INPUT': 'input',
	'FW-WIZARD-OUTPUT': 'output',
	'FW-WIZARD-PREROUTING': 'prerouting',
};

const WORDS = {
	4: {table: 'ip fw_wizard', address: 'ip', type: 'ipv4_addr'},
	6: {table: 'ip6 fw_wizard', address: 'ip6', type: 'ipv6_addr'},
} as const;

/**
 * A rule set as native rules of nftables with the same meaning, in tables of its own. `nft -f` loads
 * the text in one transaction, which replaces what an earlier one has loaded. For nft 0.9 or newer.
 */
export function printNft({policy, ruleSet}: CompiledPolicy): string {
	const tables = ruleSet.families.map((rules) => printTable(rules, policy.helpers));
	return `#!/usr/sbin/nft -f
# Made by fw-wizard: a firewall for nftables alone. To load it: nft -f THIS
# Tables of other programs stay, and filter as well: what one of them drops stays dropped.

${tables.join('\n')}`;
}

function printTable(rules: FamilyRules, helpers: readonly HelperName[]): string {
	const {family} = rules;
	const {table} = WORDS[family];
	const chains = ownChains(rules).flatMap((own) => {
		const chain = findChain(rules, own.table, own.name);
		return chain ? [{name: own.name, rules: chain.rules}] : [];
	});
	const all = chains.flatMap((chain) => chain.rules);
	const used = new Set(all.flatMap(({target}) => (target.kind === 'CT' ? [target.helper] : [])));
	const objects = helpers
		.flatMap((name) => helperOf(name).ports)
		.filter(({helper}) => used.has(helper))
		.map(
			({helper, protocol}) =>
				`	ct helper ${objectName(helper, protocol)} {\n		type "${helper}" protocol ${protocol}\n		l3proto ${WORDS[family].address}\n	}\n`,
		);
	// One set for each name: openings that share a counter in iptables share the set here.
	const names = new Set(all.flatMap(({match}) => match.hashlimit?.name ?? []));
	// After a minute without a packet a source may send a whole burst again, so its entry may go.
	const sets = [...names].map(
		(name) =>
			`	set ${setName(name)} {\n		type ${WORDS[family].type}\n		size 65535\n		flags dynamic,timeout\n		timeout 1m\n	}\n`,
	);
	const bodies = chains.map(({name, rules: list}) => {
		const lines = joinJumps(list).map((rule) => `		${printRule(rule, family)}${comment(rule)}`);
		const hook = HOOKS[name];
		return `	chain ${hook ?? groupName(name)} {\n${hook === undefined ? '' : `		type filter hook ${hook} priority 0; policy accept;\n`}${lines.join('\n')}\n	}\n`;
	});
	return `table ${table}
delete table ${table}
table ${table} {
${[...objects, ...sets, ...bodies].join('\n')}}
`;
}

/** The same rules. The jumps to the chain of a group, one for each source in iptables, are one with a set of sources. */
function joinJumps(rules: readonly Rule[]): readonly Rule[] {
	const keyed = rules.map((rule, index) => ({rule, key: `${index}`}));
	return groupBy(keyed, ({rule: {target}, key}) =>
		target.kind === 'chain' ? target.name : key,
	).flatMap(([first, ...others]) => {
		if (first === undefined || others.length === 0) {
			return first?.rule ?? [];
		}

		const sources = [first, ...others].flatMap(({rule}) => rule.match.source ?? []);
		return ourRule(
			'opening',
			`You opened ports from these ${sources.length} sources`,
			{source: `{ ${sources.join(', ')} }`},
			first.rule.target,
		);
	});
}

/** The name of the chain of a group: `from_1`. */
function groupName(chain: string): string {
	return chain.replace(GROUP_PREFIX, 'from_');
}

/** A rule as nft reads it. Protocols are numbers, since nft finds their names only in /etc/protocols. */
function printRule({match, target}: Rule, family: Family): string {
	const words = matchWords(match, family);
	switch (target.kind) {
		case 'ACCEPT':
		case 'DROP':
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
			throw new RangeError(`a rule of ours has no target ${target.kind}`);
	}
}

function matchWords(match: Match, family: Family): readonly string[] {
	const {address} = WORDS[family];
	const {limit, hashlimit} = match;
	return [
		...(match.source === undefined ? [] : [`${address} saddr ${match.source}`]),
		...(match.destination === undefined ? [] : [`${address} daddr ${match.destination}`]),
		...(match.inInterface === undefined ? [] : [`iifname "${match.inInterface}"`]),
		...protocolWords(match),
		...(match.syn ? ['tcp flags & (fin|syn|rst|ack) == syn'] : []),
		...(match.states === undefined ? [] : [`ct state ${match.states.join(',').toLowerCase()}`]),
		...(limit === undefined ? [] : [rateWords(limit)]),
		...(hashlimit === undefined
			? []
			: [
					`update @${setName(hashlimit.name)} { ${address} saddr${mask(hashlimit.sourceMask)} ${rateWords(hashlimit)} }`,
				]),
	];
}

function protocolWords({protocol, sourcePorts, destinationPorts, syn}: Match): readonly string[] {
	const hasPorts = sourcePorts !== undefined || destinationPorts !== undefined;
	if (protocol !== 'tcp' && protocol !== 'udp' && !hasPorts) {
		return protocol === undefined ? [] : [`meta l4proto ${protocolNumberOf(protocol)}`];
	}

	const ports = [
		...portWords(`${protocol} sport`, sourcePorts),
		...portWords(`${protocol} dport`, destinationPorts),
	];
	if (ports.length === 0 && !syn) {
		throw new RangeError(`a rule of ours lets in all of ${protocol}`);
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
function setName(name: string): string {
	return name.replaceAll('-', '_');
}

/** The name of a helper object. SIP has a helper for TCP and one for UDP with the same name. */
function objectName(helper: string, protocol: string): string {
	return `${helper.toLowerCase().replaceAll(/[^a-z\d]/g, '_')}_${protocol}`;
}

/** A comment of at most 128 bytes (NFTNL_UDATA_COMMENT_MAXLEN). A quotation mark would end it. */
function comment({reason}: Rule): string {
	return reason === undefined
		? ''
		: ` comment "${reason.text.replace(/["\\]/g, "'").slice(0, 120)}"`;
}
