import {addressOf, isHere, type Published} from '../existing/nat/published-ports.ts';
import {sidesOf} from '../host/machine/inner-networks.ts';
import {servicesHere} from '../host/netfilter/neighbours.ts';
import {findPublished} from '../host/netfilter/published-ports.ts';
import {contains} from '../lib/network.ts';
import {innerInterfaces, SWARM_BRIDGE} from '../policy/published.ts';
import type {InnerNetwork} from '../services/guest-service.ts';
import {CLUSTER_PROGRAMS} from '../services/known-programs/clusters.ts';
import {programNamed} from '../services/known-programs/find.ts';
import type {PublishedHere} from './govern-published.ts';

/** Reads it from the kernel's rules and interfaces; no daemon is asked but for names. @throws {HostError} where a program does not answer */
export async function findPublishedHere(networks: readonly InnerNetwork[]): Promise<PublishedHere> {
	return publishedAmong(await findPublished(), networks);
}

/** The same of what was found out before. */
export function publishedAmong(
	all: readonly Published[],
	networks: readonly InnerNetwork[],
): PublishedHere {
	const running = servicesHere();
	const cluster =
		all.map(({by}) => by).find((name) => programNamed(name)?.kind === 'cluster') ??
		CLUSTER_PROGRAMS.find(({processes}) => processes?.some((name) => running.has(name)))?.name;
	const {subnets: mesh = []} = networks.find(({name}) => name === SWARM_BRIDGE) ?? {};
	return {
		ports: all.filter(({address, to}) => {
			const end = addressOf(to);
			return (
				!isHere(address, []) && (end === undefined || !mesh.some((cidr) => contains(cidr, end)))
			);
		}),
		inner: innerInterfaces(sidesOf(networks)),
		cluster,
	};
}
