import {type Family, printNetwork} from '../lib/network.ts';
import {isDiscovery} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import {
	INNER_INTERFACES,
	isForInside,
	publishingInterfaces,
	SWARM_BRIDGE,
} from '../policy/published.ts';
import {openingRules} from './build-openings.ts';
import {LOG_LIMIT, LOG_PREFIX, type Match, ourRule, type Rule, type Target} from './model.ts';

/** A new packet that was sent to a port of this machine, and goes on to a container or another machine. */
const FORWARDED: Match = {translated: true, direction: 'ORIGINAL'};
const LEAVE: Target = {kind: 'RETURN'};

/**
 * The rules for new connections from outside to published ports, by the port that they were sent to first. What
 * is open RETURNs: the rules of whoever publishes it go on to decide. They stand in the mangle table, which
 * every packet passes before the filter tables of all programs, in both backends: no program can put itself
 * ahead of them, and what is dropped here is dropped. REJECT is valid in the filter table only
 * (iptables-extensions(8)), so that what is not open is dropped, whatever the verdict.
 * @returns none where published ports are left as they are
 */
export function forwardRules(policy: Policy, family: Family): readonly Rule[] {
	if (policy.published !== 'policy') {
		return [];
	}

	const {inner = INNER_INTERFACES, blocked = []} = policy;
	return [
		ourRule(
			'solicited',
			'Answers, and connections that began before',
			{states: ['ESTABLISHED', 'RELATED']},
			LEAVE,
		),
		...inner.map((inInterface) =>
			ourRule('inside', 'From containers and guests of this machine', {inInterface}, LEAVE),
		),
		ourRule(
			'inside',
			"Docker Swarm's routing mesh opens its ports on every node",
			{outInterface: SWARM_BRIDGE},
			LEAVE,
		),
		ourRule(
			'icmp',
			'Ping and error messages',
			{protocol: family === 4 ? 'icmp' : 'ipv6-icmp'},
			LEAVE,
		),
		...blocked
			.filter((network) => network.family === family)
			.map((network) =>
				ourRule(
					'blocked',
					`You blocked ${printNetwork(network)}, also for published ports`,
					{...(network.cidr.endsWith('/0') ? {} : {source: network.cidr}), ...FORWARDED},
					{kind: 'DROP'},
				),
			),
		...opened(policy, family),
		...(policy.log
			? [
					ourRule(
						'log',
						'Logs blocked packets to published ports, at most ten lines a minute',
						{...FORWARDED, limit: LOG_LIMIT},
						{kind: 'LOG', prefix: LOG_PREFIX},
					),
				]
			: []),
		ourRule('verdict', 'Every other published port is blocked', FORWARDED, {kind: 'DROP'}),
		...publishingInterfaces(inner).map((outInterface) =>
			ourRule(
				'direct',
				'Containers are reached by published ports alone, not by their own addresses',
				{outInterface},
				{kind: 'DROP'},
			),
		),
	];
}

/** The rules of the openings, each for one port or range: conntrack knows no lists of them. */
function opened({openings, inner}: Policy, family: Family): readonly Rule[] {
	const outer = openings.filter((opening) => !isDiscovery(opening) && !isForInside(opening, inner));
	return openingRules(outer, family, {plain: true}).map(({match, ...rest}) => {
		const {destinationPorts: [originalPorts] = [], ...others} = match;
		return {
			...rest,
			match: {...others, ...FORWARDED, ...(originalPorts ? {originalPorts} : {})},
			target: LEAVE,
		};
	});
}
