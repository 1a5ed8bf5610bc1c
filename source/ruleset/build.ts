import {groupBy} from '../policy/group.ts';
import {type Helper, helperOf} from '../policy/helpers.ts';
import type {Family} from '../policy/network.ts';
import type {Policy, Verdict} from '../policy/policy.ts';
import {type MdnsOpening, type PortOpening, printOpening, printPorts} from '../policy/port.ts';
import type {Protocol} from '../policy/services.ts';
import {
	type Chain,
	defaultReject,
	type FamilyRules,
	LOG_PREFIX,
	type Match,
	OWN_CHAINS,
	type Part,
	type PortRange,
	type Rule,
	type RuleSet,
	type Target,
} from './ruleset.ts';

/** What of the machine decides the rules. */
export type BuildFacts = {
	readonly families: readonly Family[];
	/** One port in a rule: without `-m multiport`, which a kernel may lack. */
	readonly plain?: boolean;
};

/** New connections of one source under `limit`: so many, and so many at once. */
const LIMIT = {rate: '6/min', burst: 6} as const;
const LOG_LIMIT = {rate: '10/min', burst: 10} as const;
/** `-m multiport` takes 15 ports; a range counts as two (iptables-extensions(8)). */
const MULTIPORT = 15;

type PartOpening = PortOpening & {readonly protocol: Protocol};

/** The rule set that does what the policy says. Order is meaning: the first rule that matches decides. */
export function buildRuleSet(policy: Policy, facts: BuildFacts): RuleSet {
	return {
		families: facts.families.map((family) => buildFamily(policy, family, facts.plain ?? false)),
	};
}

function buildFamily(policy: Policy, family: Family, plain: boolean): FamilyRules {
	const input: readonly Rule[] = [
		...solicited(family),
		...openings(policy, family, plain),
		...(policy.log
			? [
					rule(
						'log',
						'Logs what is turned away, at most ten lines a minute',
						{limit: LOG_LIMIT},
						{
							kind: 'LOG',
							prefix: LOG_PREFIX,
						},
					),
				]
			: []),
		...verdict(policy.verdict, family),
	];
	const rules = {
		'FW-WIZARD-INPUT': input,
		'FW-WIZARD-OUTPUT': helpers(policy, family, 'client'),
		'FW-WIZARD-PREROUTING': helpers(policy, family, 'server'),
	};
	const chains = OWN_CHAINS.filter(({name}) => rules[name].length > 0);
	return {
		family,
		tables: groupBy(chains, ({table}) => table).map((group) => ({
			name: group[0]?.table ?? '',
			chains: group.flatMap(({name, from}): Chain[] => [
				{name, rules: rules[name]},
				{name: from, policy: 'ACCEPT', rules: [jump(from, name)]},
			]),
		})),
	};
}

function solicited(family: Family): readonly Rule[] {
	return [
		rule('solicited', 'Answers to what this machine asked for', {
			states: ['ESTABLISHED', 'RELATED'],
		}),
		family === 4
			? rule('icmp', 'Ping and error messages; blocking them hurts you more than attackers', {
					protocol: 'icmp',
				})
			: rule('icmp', 'Ping, errors and neighbour discovery; without it IPv6 stops', {
					protocol: 'ipv6-icmp',
				}),
		rule('loopback', 'Programs on this machine talking to each other', {inInterface: 'lo'}),
		rule('invalid', 'Packets that fit no connection', {states: ['INVALID']}, {kind: 'DROP'}),
		rule(
			'dhcp',
			'The address that this machine asked the network for',
			family === 4
				? {protocol: 'udp', sourcePorts: [port(67)], destinationPorts: [port(68)]}
				: {
						source: 'fe80::/10',
						destination: 'fe80::/10',
						protocol: 'udp',
						sourcePorts: [port(547)],
						destinationPorts: [port(546)],
					},
		),
	];
}

function openings(policy: Policy, family: Family, plain: boolean): readonly Rule[] {
	const parts = policy.openings.flatMap((opening): Array<PartOpening | MdnsOpening> => {
		if (opening.kind === 'mdns') {
			return [opening];
		}

		const protocols: readonly Protocol[] =
			opening.protocol === 'both' ? ['tcp', 'udp'] : [opening.protocol];
		return opening.from === undefined || opening.from.family === family
			? protocols.map((protocol) => ({...opening, protocol}))
			: [];
	});
	return groupBy(parts, kindOf).flatMap((group) => {
		const [first] = group;
		if (first === undefined || first.kind === 'mdns') {
			return group.flatMap((part) => (part.kind === 'mdns' ? discovery(part, family) : []));
		}

		const ports = group.filter((part): part is PartOpening => part.kind === 'port');
		return first.limit
			? ports.map((part) => limited(part, family))
			: (plain ? ports.map((part) => [part]) : chunk(ports)).map((some) => opened(first, some));
	});
}

/** Openings that can share a rule have the same kind. */
function kindOf(part: PartOpening | MdnsOpening): string {
	return part.kind === 'mdns'
		? part.kind
		: `${part.protocol} ${part.from?.cidr} ${part.on} ${part.limit}`;
}

function opened(scope: PartOpening, parts: readonly PartOpening[]): Rule {
	return rule('opening', `You opened ${parts.map((part) => printOpening(part)).join(', ')}`, {
		...where(scope),
		protocol: scope.protocol,
		destinationPorts: parts.map(({first, last}) => ({first, last})),
	});
}

function limited(part: PartOpening, family: Family): Rule {
	return rule(
		'opening',
		`You opened ${printOpening(part)}: six new connections a minute from one source`,
		{
			...where(part),
			protocol: part.protocol,
			destinationPorts: [{first: part.first, last: part.last}],
			hashlimit: {
				...LIMIT,
				// At most 15 characters: older kernels keep no more (struct xt_hashlimit_info, IFNAMSIZ).
				name: `fw${part.protocol.slice(0, 1)}${printPorts(part, '-')}`,
				// One IPv6 subscriber has a /64 and can use every address of it.
				...(family === 6 ? {sourceMask: 64} : {}),
			},
		},
	);
}

function where(part: PartOpening): Match {
	const everywhere = part.from === undefined || part.from.cidr.endsWith('/0');
	return {
		...(everywhere ? {} : {source: part.from?.cidr ?? ''}),
		...(part.on === undefined ? {} : {inInterface: part.on}),
	};
}

function discovery(opening: MdnsOpening, family: Family): readonly Rule[] {
	const on: Match = opening.on === undefined ? {} : {inInterface: opening.on};
	const mdns = rule('discovery', 'You opened mdns: finding printers and casting devices', {
		...on,
		destination: family === 4 ? '224.0.0.251/32' : 'ff02::fb/128',
		protocol: 'udp',
		destinationPorts: [port(5353)],
	});
	const igmp = rule('discovery', 'You opened mdns: IGMP keeps its multicast coming', {
		...on,
		destination: '224.0.0.0/4',
		protocol: 'igmp',
	});
	return family === 4 ? [mdns, igmp] : [mdns];
}

function verdict(verdict: Verdict, family: Family): readonly Rule[] {
	const reject: Target = {kind: 'REJECT', with: defaultReject(family)};
	switch (verdict) {
		case 'drop':
			return [rule('verdict', 'Everything else vanishes without an answer', {}, {kind: 'DROP'})];
		case 'reject':
			return [rule('verdict', 'Everything else is refused: port unreachable', {}, reject)];
		case 'reset':
			return [
				rule(
					'verdict',
					'Every other TCP connection is refused as a closed port would',
					// Without --syn it would end live sessions that conntrack does not know yet.
					{protocol: 'tcp', syn: true},
					{kind: 'REJECT', with: 'tcp-reset'},
				),
				rule('verdict', 'Everything else is refused: port unreachable', {}, reject),
			];
	}
}

function helpers(policy: Policy, family: Family, side: 'client' | 'server'): readonly Rule[] {
	return policy.helpers
		.map(helperOf)
		.filter((helper) => helper.families.includes(family) && helper[side])
		.flatMap((helper) =>
			helper.ports
				.filter(({protocol, port}) => side === 'client' || isOpen(policy, family, protocol, port))
				.map(({protocol, port: number, helper: name}) =>
					rule(
						'helper',
						describeHelper(helper, side),
						{protocol, destinationPorts: [port(number)]},
						{kind: 'CT', helper: name},
					),
				),
		);
}

/** On the server's side a helper is of use only where its control port is let in at all. */
function isOpen(policy: Policy, family: Family, protocol: Protocol, number: number): boolean {
	return policy.openings.some(
		(opening) =>
			opening.kind === 'port' &&
			(opening.protocol === 'both' || opening.protocol === protocol) &&
			(opening.from === undefined || opening.from.family === family) &&
			opening.first <= number &&
			number <= opening.last,
	);
}

function describeHelper(helper: Helper, side: 'client' | 'server'): string {
	return side === 'client'
		? `You chose the ${helper.name} helper: for connections from this machine`
		: `You chose the ${helper.name} helper and opened its port: for connections to this machine`;
}

function jump(from: string, to: string): Rule {
	return rule('jump', `The one rule of ours in ${from}`, {}, {kind: 'chain', name: to});
}

function rule(part: Part, text: string, match: Match, target: Target = {kind: 'ACCEPT'}): Rule {
	return {match, target, reason: {part, text}};
}

function port(number: number): PortRange {
	return {first: number, last: number};
}

/** Cuts a list of ports so that each piece fits one multiport match. */
function chunk(parts: readonly PartOpening[]): readonly (readonly PartOpening[])[] {
	const chunks: PartOpening[][] = [];
	let room = 0;
	for (const part of parts) {
		const weight = part.first === part.last ? 1 : 2;
		if (weight > room) {
			chunks.push([]);
			room = MULTIPORT;
		}

		chunks.at(-1)?.push(part);
		room -= weight;
	}

	return chunks;
}
