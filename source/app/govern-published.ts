import type {Published} from '../existing/nat/published-ports.ts';
import {InputError} from '../lib/errors.ts';
import {groupBy} from '../lib/group-by.ts';
import {joinSome, joinWords, withRest} from '../lib/list.ts';
import {parseNetwork, printNetwork} from '../lib/network.ts';
import {printPorts, subtractRanges} from '../lib/port-ranges.ts';
import {isInterface} from '../policy/interface-pattern.ts';
import type {Opening, PortOpening} from '../policy/opening.ts';
import type {Policy} from '../policy/policy.ts';
import type {Ports} from '../policy/port-openings.ts';
import {INNER_INTERFACES, type PublishedChoice, publishingInterfaces} from '../policy/published.ts';
import {networksOf} from '../policy/sources.ts';
import type {InnerNetwork} from '../services/guest-service.ts';
import {isPrivateNetwork} from '../services/known-programs/vpns.ts';

/** What of this machine decides on how published ports are treated. */
export type PublishedHere = {
	/** Ports that packets from outside reach behind this machine, less those of a Swarm's routing mesh. */
	readonly ports: readonly Published[];
	/** `Policy.inner` for the interfaces that are here. */
	readonly inner: readonly string[] | undefined;
	/** The program that forwards packets to the pods of a cluster, where there is one. */
	readonly cluster: string | undefined;
};

export const NOTHING_PUBLISHED: PublishedHere = {ports: [], inner: undefined, cluster: undefined};

/** Published ports that are named one by one. */
const MOST_NAMED = 8;

/**
 * Decides whether a policy governs published ports: as the user says; else as the policy that was applied before;
 * else where something is published now. In a cluster its own rules do, since what a port of a node leads to
 * changes without this machine.
 * @param said what the user says now
 * @param before the policy that is in force
 * @throws {InputError} where it is to govern them in a cluster
 */
export function governPublished(
	policy: Policy,
	{ports, inner, cluster}: PublishedHere,
	said: PublishedChoice | undefined,
	before: Policy | undefined,
): Policy {
	if (cluster !== undefined && said === 'policy') {
		throw new InputError(
			`${cluster} forwards ports of this machine to its pods by rules of its own, and opens the same port on every node`,
			'Leave them to it: --published leave',
		);
	}

	const usual = before === undefined ? ports.length > 0 : before.published === 'policy';
	const {published: _, inner: __, ...rest} = policy;
	return cluster !== undefined || !(said === undefined ? usual : said === 'policy')
		? rest
		: {...rest, published: 'policy', ...(inner === undefined ? {} : {inner})};
}

/** The published ports that a policy would block for some who reach them now. */
export function findBlockedPublished(
	{published, openings}: Policy,
	ports: readonly Published[],
): readonly Published[] {
	return published === 'policy' ? ports.filter((port) => !staysOpen(port, openings)) : [];
}

function staysOpen(
	{protocol, port: first, last = first, from, on}: Published,
	openings: readonly Opening[],
): boolean {
	const isWhole = (opening: Opening): opening is PortOpening =>
		opening.kind === 'port' &&
		(opening.protocol === 'both' || opening.protocol === protocol) &&
		(opening.from === undefined || networksOf(opening.from).some(({cidr}) => cidr === from)) &&
		(opening.on === undefined || opening.on === on) &&
		!opening.limit;
	return subtractRanges([{first, last}], openings.filter(isWhole)).length === 0;
}

/** A port, or a range, that containers publish, and all who do. */
export type PublishedGroup = {readonly ports: Ports; readonly published: readonly Published[]};

/** The published ports by number, those of both families and of all addresses together. */
export function groupPublished(published: readonly Published[]): readonly PublishedGroup[] {
	return groupBy(published, ({protocol, port, last = port}) => `${protocol} ${port} ${last}`)
		.map((group) => {
			const {protocol, port: first, last = first} = group[0];
			return {ports: {protocol, first, last}, published: group};
		})
		.sort((a, b) => a.ports.first - b.ports.first);
}

/** Ports with their containers and who publishes them: `8080/tcp (web, Docker)`, `53/udp (podman)`, `3 more`. */
export function namePublished(all: readonly Published[]): readonly string[] {
	const names = [...groupPublished(all)]
		.sort((a, b) => a.ports.protocol.localeCompare(b.ports.protocol))
		.map(({ports, published}) => {
			const makers = new Set(
				published.flatMap(({container, by}) => (container === undefined ? by : [container, by])),
			);
			return `${printPorts(ports, '-')}/${ports.protocol} (${[...makers].join(', ')})`;
		});
	return withRest(names, MOST_NAMED);
}

/**
 * That hosts of a private network which this machine is in do not reach containers by their own addresses, as a
 * route to these through that network would have it; none where there is no such network, or no container's.
 * @param interfaces the names of all interfaces; undefined where they are not known
 */
export function adviseDirect(
	{published, inner = INNER_INTERFACES}: Policy,
	networks: readonly InnerNetwork[],
	interfaces: Iterable<string> = [],
): readonly string[] {
	const vpns = [...interfaces].filter(isPrivateNetwork).sort();
	const publishing = publishingInterfaces(inner);
	const subnets = networks
		.filter(({name}) => publishing.some((pattern) => isInterface(pattern, name)))
		.flatMap((network) => network.subnets.map((cidr) => printNetwork(parseNetwork(cidr))));
	return published !== 'policy' || vpns.length === 0 || subnets.length === 0
		? []
		: [
				`Hosts behind ${joinSome(vpns, MOST_NAMED)} reach containers by their published ports alone, not by their own addresses (${joinSome(subnets, MOST_NAMED)}).`,
			];
}

/** That published ports are blocked, in a sentence without a full stop; none where none is. */
export function describeBlockedPublished(ports: readonly Published[]): readonly string[] {
	return ports.length === 0
		? []
		: [`Published ports that are blocked from outside then: ${joinWords(namePublished(ports))}`];
}

/** Why nothing is applied where published ports would be blocked, and the user has not said that they may be. */
export function undecidedPublished(ports: readonly Published[]): InputError {
	return new InputError(
		`Ports that containers publish would be blocked: ${joinWords(namePublished(ports))}`,
		'To block them: --published policy. To leave them as they are: --published leave. To open one: --open PORT/PROTOCOL',
	);
}
