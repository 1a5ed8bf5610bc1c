import {BAN_PROGRAMS} from './bans.ts';
import {CLUSTER_PROGRAMS} from './clusters.ts';
import {CONTAINER_PROGRAMS} from './containers.ts';
import {FIREWALLS} from './firewalls.ts';
import type {KnownProgram} from './known-program.ts';
import {VPN_PROGRAMS} from './vpns.ts';

/** Shares a connection with other devices (nm-firewall-utils.c of NetworkManager). */
const NETWORK_MANAGER: KnownProgram = {
	name: 'NetworkManager',
	kind: 'sharing',
	chains: /^nm-sh-(?:in|fw)-/,
	tables: /^ip6? nm-shared-/,
	rules: /--comment "?nm-shared-/,
	needsFilter: true,
	does: 'NetworkManager shares a connection of this machine with other devices',
	means: 'Its rules stay',
	breaks:
		'NetworkManager: devices on the shared connection get no address and no names until it is connected again',
};

/**
 * Every program that is known, in the order in which they are listed to the user. Whatever asks whose
 * a rule, an interface or a listener is, asks here.
 */
export const KNOWN_PROGRAMS: readonly KnownProgram[] = [
	...CONTAINER_PROGRAMS,
	...CLUSTER_PROGRAMS,
	...BAN_PROGRAMS,
	...VPN_PROGRAMS,
	NETWORK_MANAGER,
	...FIREWALLS,
];

export function programNamed(name: string): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find((program) => program.name === name);
}

/** The program that makes chains of this name. */
export function programOfChain(chain: string): KnownProgram | undefined {
	if (!OWNERS.has(chain)) {
		OWNERS.set(
			chain,
			KNOWN_PROGRAMS.find(({chains}) => chains?.test(chain)),
		);
	}

	return OWNERS.get(chain);
}

/** Each name is looked up once: thousands of rules have only a few. */
const OWNERS = new Map<string, KnownProgram | undefined>();

/** The program that makes this table of nftables, named as `inet name`. */
export function programOfTable(table: string): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find(({tables}) => tables?.test(table));
}

/** The program that puts such a rule, as iptables-save prints it, into chains that are not its own. */
export function programOfSharedRule(rule: string): KnownProgram | undefined {
	return ANY_SHARED_RULE.test(rule)
		? KNOWN_PROGRAMS.find(({rules}) => rules?.test(rule))
		: undefined;
}

/** One test instead of one for each program: most of thousands of rules are nobody's. */
const ANY_SHARED_RULE = new RegExp(
	KNOWN_PROGRAMS.flatMap(({rules}) => rules?.source ?? []).join('|'),
);

/** The program that makes network interfaces of this name. */
export function programOfInterface(name: string): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find(({interfaces}) => interfaces?.test(name));
}

/**
 * Whether an interface leads to containers or virtual machines of this machine: what comes in there
 * does not come from outside.
 */
export function isInternalInterface(name: string): boolean {
	const kind = programOfInterface(name)?.kind;
	return kind === 'containers' || kind === 'cluster';
}

/** The program that a service of this name starts: a unit of systemd. */
export function programOfService(service: string): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find(({services}) => services?.includes(service));
}

/** The program for whose containers a process of this name listens. */
export function programOfProxy(process: string): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find(({proxies}) => proxies?.includes(process));
}

/** The program that runs the container of a process, by the paths of the control groups that it is in. */
export function programOfControlGroups(paths: readonly string[]): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find(({controlGroups}) => paths.some((path) => controlGroups?.test(path)));
}
