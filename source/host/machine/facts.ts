import {detectIptables, type Iptables} from '../netfilter/iptables.ts';
import {findSession, type Session} from '../sockets/session.ts';
import {type FirstFacts, firstFacts} from './facts-sync.ts';

/** What is found out about this machine, so that nobody is asked. */
export type Facts = FirstFacts & {
	readonly iptables: Iptables | undefined;
	readonly session: Session;
};

export async function gatherFacts(first: FirstFacts = firstFacts()): Promise<Facts> {
	const [iptables, session] = await Promise.all([detectIptables(), findSession()]);
	return {...first, iptables, session};
}
