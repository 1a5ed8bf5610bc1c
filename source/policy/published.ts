import {isInterface} from './interface-pattern.ts';
import type {Opening} from './opening.ts';

/**
 * What happens to ports that containers publish. `policy`: what the openings say holds for them as for
 * all others. `leave`: whoever publishes them decides.
 */
export const PUBLISHED = ['policy', 'leave'] as const;
export type PublishedChoice = (typeof PUBLISHED)[number];

/**
 * The interfaces behind which are containers and guests of this machine, as iptables matches them, by the
 * names that Docker, podman, CNI, libvirt, Incus, LXD, LXC and systemd-nspawn give them. Names, and not
 * what there is now: a network that is made anew later has another number.
 */
export const INNER_INTERFACES: readonly string[] = [
	'docker+',
	'br-+',
	'podman+',
	'cni+',
	'virbr+',
	'incusbr+',
	'lxdbr+',
	'lxcbr+',
	've-+',
	'vb-+',
	'vz-+',
];

/** The bridge that the routing mesh of Docker Swarm forwards to: it opens the same port on each node by itself. */
export const SWARM_BRIDGE = 'docker_gwbridge';

/** Bridges of programs that publish ports by DNAT: nobody is meant to reach the addresses behind them directly. */
const PUBLISHING = /^(?:docker|podman|cni|br-(?:\+|[\da-f]{12})$)/;

/** Those of the inner interfaces behind which nobody from outside is to be let without a published port. */
export function publishingInterfaces(inner: readonly string[]): readonly string[] {
	return inner.filter((name) => PUBLISHING.test(name));
}

/** Whether an opening is for containers and guests of this machine, and so for none of the ports that these publish. */
export function isForInside(
	{on}: Pick<Opening, 'on'>,
	inner: readonly string[] = INNER_INTERFACES,
): boolean {
	return on !== undefined && inner.some((name) => isInterface(name, on));
}

/**
 * The inner interfaces on a machine with these interfaces: a pattern that one with the outside behind it, or a
 * bridge of somebody's own, would match as well gives way to the names that are there; inner networks that no pattern
 * matches are added.
 * @param here the interfaces that are there; `inner`: only containers and guests are behind it
 * @returns undefined where it is `INNER_INTERFACES`
 */
export function innerInterfaces(
	here: ReadonlyArray<{readonly name: string; readonly inner: boolean}>,
): readonly string[] | undefined {
	const isAmbiguous = (pattern: string) =>
		here.some(
			({name, inner}) =>
				isInterface(pattern, name) && (!inner || (pattern === 'br-+' && !PUBLISHING.test(name))),
		);
	const plain = INNER_INTERFACES.filter((pattern) => !isAmbiguous(pattern));
	const others = here
		.filter(({name, inner}) => inner && !plain.some((pattern) => isInterface(pattern, name)))
		.map(({name}) => name)
		.sort();
	return plain.length === INNER_INTERFACES.length && others.length === 0
		? undefined
		: [...plain, ...others];
}
