import {detectIptables, type Iptables} from '../netfilter/backend.ts';
import {findSession, type Session} from '../sockets/session.ts';
import {type HostFacts, hostFacts} from './host-facts.ts';

/** What is found out about this machine, so that nobody is asked. */
export type Facts = HostFacts & {
	readonly iptables: Iptables | undefined;
	readonly session: Session;
};

/** The facts of a machine on which rules can be loaded. */
export type FactsWithIptables = Facts & {readonly iptables: Iptables};

export async function gatherFacts(first: HostFacts = hostFacts()): Promise<Facts> {
	const [iptables, session] = await Promise.all([detectIptables(), findSession()]);
	return {...first, iptables, session};
}
