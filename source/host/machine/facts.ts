import type {InnerNetwork} from '../../services/guest-service.ts';
import {detectIptables, type Iptables} from '../netfilter/backend.ts';
import {findSession, type Session} from '../sockets/session.ts';
import {type HostFacts, hostFacts} from './host-facts.ts';
import {findInnerNetworks, nameInside} from './inner-networks.ts';

/** What is found out about this machine, so that nobody is asked. */
export type Facts = HostFacts & {
	readonly iptables: Iptables | undefined;
	readonly session: Session;
	/** The interfaces behind which hosts may be whose way out this machine is. */
	readonly networks: readonly InnerNetwork[];
};

/** The facts of a machine on which rules can be loaded. */
export type FactsWithIptables = Facts & {readonly iptables: Iptables};

export async function gatherFacts(first: HostFacts = hostFacts()): Promise<Facts> {
	const [iptables, session, networks] = await Promise.all([
		...([detectIptables(), findSession(), findInnerNetworks()] as const),
	]);
	return {
		...{...first, iptables, session, networks},
		interfaces: nameInside(first.interfaces, networks),
	};
}
