import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {groupBy} from '../lib/group-by.ts';
import type {Family} from '../lib/network.ts';
import {type PortRange, printPorts} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import {type HelperName, helperOf} from '../policy/helpers.ts';
import {printOpened} from '../policy/opening.ts';
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

/** The hook of nftables for each of our chains, and its priority (nft(8), "Chains"): mangle's is -150. */
const HOOKS: Readonly<Record<string, {readonly name: string; readonly hook: string}>> = {
	'FW-WIZARD-INPUT': {name: 'input', hook: 'input priority 0'},
	'FW-WIZARD-OUTPUT': {name: 'output', hook: 'output priority 0'},
	'FW-WIZARD-PREROUTING': {name: 'prerouting', hook: 'prerouting priority 0'},
	'FW-WIZARD-FORWARD': {name: 'forward', hook: 'forward priority -150'},
};

const COMMENT_BYTES = 127;

const WORDS = {
	4: {table: 'ip fw_wizard', address: 'ip', type: 'ipv4_addr'},
	6: {table: 'ip6 fw_wizard', address: 'ip6', type: 'ipv6_addr'},
} as const;

/**
 * A rule set as native rules of nftables with the same meaning, in tables of its own. `nft -f` loads
 * the text in one transaction, which replaces what an earlier one has loaded. For nft 0.9 or newer.
 * @throws {InputError} where an opening ends
 */
export function printNft({policy, ruleSet}: CompiledPolicy): string {
	const ending = policy.openings.find(({until}) => until !== undefined);
	if (ending !== undefined) {
		throw new InputError(
			`${printable(printOpened(ending), 200)} ends at a time, which nft reads in the zone of the machine that loads it`,
			`Close it before, or use: ${commandLine('export shell')}`,
		);
	}

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
	const groups = groupBy(all.filter(isNamedJump), ({target}) => chainOf(target)).map(
		(jumps) =>
			`	set ${groupName(chainOf(jumps[0]?.target))} {\n		type ${WORDS[family].type}\n		flags interval\n		elements = { ${jumps.map(({match}) => match.source).join(', ')} }\n	}\n`,
	);
	const bodies = chains.map(({name, rules: list}) => {
		const lines = joinJumps(list).map((rule) => `		${printRule(rule, family)}${comment(rule)}`);
		const hook = HOOKS[name];
		return `	chain ${hook?.name ?? groupName(name)} {\n${hook === undefined ? '' : `		type filter hook ${hook.hook}; policy accept;\n`}${lines.join('\n')}\n	}\n`;
	});
	return `table ${table}
delete table ${table}
table ${table} {
${[...objects, ...sets, ...groups, ...bodies].join('\n')}}
`;
}

/**
 * The same rules. The jumps to the chain of a group, one for each source in iptables, are one with a set of sources,
 * which has the name of the group if that has one.
 */
function joinJumps(rules: readonly Rule[]): readonly Rule[] {
	const keyed = rules.map((rule, index) => ({rule, key: `${index}`}));
	return groupBy(keyed, ({rule: {target}, key}) =>
		target.kind === 'chain' ? target.name : key,
	).flatMap(([first, ...others]) => {
		if (first === undefined || (others.length === 0 && !isNamedJump(first.rule))) {
			return first?.rule ?? [];
		}

		const {rule} = first;
		const sources = [first, ...others].flatMap((one) => one.rule.match.source ?? []);
		const chain = chainOf(rule.target);
		const [whom, source] = isNamedJump(rule)
			? [`@${chain.slice(GROUP_PREFIX.length)}`, `@${groupName(chain)}`]
			: [`these ${sources.length} sources`, `{ ${sources.join(', ')} }`];
		return ourRule('opening', `You opened ports from ${whom}`, {source}, rule.target);
	});
}

/** The name of the chain of a group, and of its set if it has a name: `from_1`, `from_office`. */
function groupName(chain: string): string {
	return chain.replace(GROUP_PREFIX, 'from_').replaceAll('-', '_');
}

function chainOf(target: Rule['target'] | undefined): string {
	return target?.kind === 'chain' ? target.name : '';
}

/** Whether a rule leads packets from some network to the chain of a group with a name. */
function isNamedJump({match, target}: Rule): boolean {
	return match.source !== undefined && /-FROM-[a-z]/.test(chainOf(target));
}

/** A rule as nft reads it. Protocols are numbers, since nft finds their names only in /etc/protocols. */
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
	const {limit, hashlimit} = match;
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
function setName(name: string): string {
	return name.replaceAll('-', '_');
}

/** The name of a helper object. SIP has a helper for TCP and one for UDP with the same name. */
function objectName(helper: string, protocol: string): string {
	return `${helper.toLowerCase().replaceAll(/[^a-z\d]/g, '_')}_${protocol}`;
}

/**
 * A comment of at most 128 bytes with the zero at its end (NFTNL_UDATA_COMMENT_MAXLEN), of whole characters. A
 * quotation mark would end it, and nft has no way to write one.
 */
function comment({reason}: Rule): string {
	if (reason === undefined) {
		return '';
	}

	let text = '';
	for (const character of reason.text.replace(/["\\]/g, "'")) {
		if (Buffer.byteLength(text + character) > COMMENT_BYTES) {
			break;
		}

		text += character;
	}

	return ` comment "${text}"`;
}
