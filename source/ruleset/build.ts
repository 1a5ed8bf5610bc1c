import {groupBy} from '../lib/group-by.ts';
import {type Family, printNetwork} from '../lib/network.ts';
import {onePort} from '../lib/port-ranges.ts';
import {type Helper, helperOf} from '../policy/helpers.ts';
import type {Policy, Verdict} from '../policy/policy.ts';
import type {Protocol} from '../policy/services.ts';
import {networksOf} from '../policy/sources.ts';
import {forwardRules} from './build-forward.ts';
import {openingRules} from './build-openings.ts';
import {groupOpenings} from './group-sources.ts';
import {
	type Chain,
	defaultReject,
	type FamilyRules,
	LOG_LIMIT,
	LOG_PREFIX,
	OWN_CHAINS,
	ourRule,
	type Rule,
	type RuleSet,
	type Target,
} from './model.ts';

/** What the rules depend on besides the policy. */
type BuildFacts = {
	readonly families: readonly Family[];
	/** Whether rules do without `-m multiport`, which a kernel may lack. */
	readonly plain?: boolean;
};

/**
 * A policy with the rules that do what it says. They travel as one value, so that rules are built once
 * and always belong to the policy beside them.
 */
export type CompiledPolicy = {
	readonly policy: Policy;
	readonly ruleSet: RuleSet;
	/** The same rules without what a kernel may lack. The boot loads them where it cannot load all. */
	readonly floor: RuleSet;
};

/** Builds the rules of a policy, once. */
export function compilePolicy(policy: Policy, {families}: BuildFacts): CompiledPolicy {
	const floor = floorOf(policy);
	return {
		policy,
		ruleSet: buildRuleSet(policy, {families}),
		floor: buildRuleSet(floor, {families, plain: true}),
	};
}

/** What must hold even where a match, a target or a helper is missing: it uses none that is optional, and no comment. */
function floorOf(policy: Policy): Policy {
	return {
		...policy,
		helpers: [],
		log: false,
		openings: policy.openings
			// Ports of SCTP need a match of their own (xt_sctp), which few kernels have built in.
			.filter((opening) => opening.kind !== 'port' || opening.protocol !== 'sctp')
			// The floor could not end it.
			.filter(({until}) => until === undefined)
			.map(({comment: _, ...opening}) =>
				opening.kind === 'port' ? {...opening, limit: false} : opening,
			),
	};
}

/** Builds the rule set of a policy. The order of rules matters: the first rule that matches decides. */
export function buildRuleSet(policy: Policy, facts: BuildFacts): RuleSet {
	return {
		families: facts.families.map((family) => buildFamily(policy, family, facts.plain ?? false)),
	};
}

function buildFamily(policy: Policy, family: Family, plain: boolean): FamilyRules {
	const {direct, jumps, chains: groups} = groupOpenings(policy.openings, family, plain);
	const input: readonly Rule[] = [
		...solicited(family),
		...blocked(policy, family),
		...openingRules(direct, family, {plain}),
		// Behind the others: packets to ports that are open to everybody need not pass them.
		...jumps,
		...(policy.log
			? [
					ourRule(
						'log',
						'Logs blocked packets, at most ten lines a minute',
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
	const rules = new Map([
		['FW-WIZARD-INPUT', input],
		['FW-WIZARD-OUTPUT', helpers(policy, family, 'client')],
		['FW-WIZARD-PREROUTING', helpers(policy, family, 'server')],
		['FW-WIZARD-FORWARD', forwardRules(policy, family)],
	]);
	const chains = OWN_CHAINS.map((own) => ({...own, rules: rules.get(own.name) ?? []}));
	const used = chains.filter((own) => own.rules.length > 0);
	return {
		family,
		tables: groupBy(used, ({table}) => table).map((group) => ({
			name: group[0].table,
			chains: [
				...(group[0].table === 'filter' ? groups : []),
				...group.flatMap(({name, from, rules}): Chain[] => [
					{name, rules},
					{name: from, policy: 'ACCEPT', rules: [jump(from, name)]},
				]),
			],
		})),
	};
}

function solicited(family: Family): readonly Rule[] {
	return [
		ourRule('solicited', 'Answers to what this machine asked for', {
			states: ['ESTABLISHED', 'RELATED'],
		}),
		family === 4
			? ourRule('icmp', 'Ping and error messages; blocking them hurts you more than attackers', {
					protocol: 'icmp',
				})
			: ourRule('icmp', 'Ping, errors and neighbour discovery; without it IPv6 stops', {
					protocol: 'ipv6-icmp',
				}),
		ourRule('loopback', 'Programs on this machine talking to each other', {inInterface: 'lo'}),
		ourRule('invalid', 'Packets that fit no connection', {states: ['INVALID']}, {kind: 'DROP'}),
		ourRule(
			'dhcp',
			'The address that this machine asked the network for',
			family === 4
				? {protocol: 'udp', sourcePorts: [onePort(67)], destinationPorts: [onePort(68)]}
				: {
						// Some providers answer from a global address (a relay's or a server's own).
						destination: 'fe80::/10',
						protocol: 'udp',
						sourcePorts: [onePort(547)],
						destinationPorts: [onePort(546)],
					},
		),
	];
}

function blocked({blocked = []}: Policy, family: Family): readonly Rule[] {
	return blocked
		.filter((network) => network.family === family)
		.map((network) =>
			ourRule(
				'blocked',
				`You blocked ${printNetwork(network)}`,
				network.cidr.endsWith('/0') ? {} : {source: network.cidr},
				{kind: 'DROP'},
			),
		);
}

function verdict(verdict: Verdict, family: Family): readonly Rule[] {
	const reject: Target = {kind: 'REJECT', with: defaultReject(family)};
	switch (verdict) {
		case 'drop':
			return [ourRule('verdict', 'Everything else vanishes without an answer', {}, {kind: 'DROP'})];
		case 'reject':
			return [ourRule('verdict', 'Everything else is refused: port unreachable', {}, reject)];
		case 'reset':
			return [
				ourRule(
					'verdict',
					'Every other TCP connection is refused as a closed port would',
					// Without --syn the rule would reset live connections that conntrack does not know yet.
					{protocol: 'tcp', syn: true},
					{kind: 'REJECT', with: 'tcp-reset'},
				),
				ourRule('verdict', 'Everything else is refused: port unreachable', {}, reject),
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
					ourRule(
						'helper',
						describeHelper(helper, side),
						{protocol, destinationPorts: [onePort(number)]},
						{kind: 'CT', helper: name},
					),
				),
		);
}

/** On a server a helper is of use only where its control port is open. */
function isOpen(policy: Policy, family: Family, protocol: Protocol, number: number): boolean {
	return policy.openings.some(
		(opening) =>
			opening.kind === 'port' &&
			(opening.protocol === 'both' || opening.protocol === protocol) &&
			(opening.from === undefined ||
				networksOf(opening.from).some((source) => source.family === family)) &&
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
	return ourRule('jump', `The only rule of fw-wizard in ${from}`, {}, {kind: 'chain', name: to});
}
