import {type FirstFacts, firstFacts} from './first-facts.ts';
import {detectIptables, type Iptables} from './iptables.ts';
import {findSession, type Session} from './session.ts';

/** What is found out about this machine, so that nobody is asked. */
export type Facts = FirstFacts & {
	readonly iptables: Iptables | undefined;
	readonly session: Session;
};

export async function gatherFacts(first: FirstFacts = firstFacts()): Promise<Facts> {
	const [iptables, session] = await Promise.all([detectIptables(), findSession()]);
	return {...first, iptables, session};
}
