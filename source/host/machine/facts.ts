import process from 'node:process';
import type {InnerNetwork} from '../../services/guest-service.ts';
import {yieldToEventLoop} from '../exec/yield.ts';
import {detectIptables, type Iptables} from '../netfilter/backend.ts';
import {readTcpSockets, type TcpSocket} from '../sockets/proc-net.ts';
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

/** Also what it has read of the sockets, for those who need them in the same moment. */
export async function gatherFacts(
	first: HostFacts = hostFacts(),
): Promise<Facts & {readonly sockets: readonly TcpSocket[]}> {
	const asking = Promise.all([...([detectIptables(), findInnerNetworks()] as const)]);
	asking.catch(() => {});
	// While these programs run.
	await yieldToEventLoop();
	const sockets = readTcpSockets();
	const [[iptables, networks], session] = await Promise.all([
		asking,
		findSession(process.pid, sockets),
	]);
	return {
		...{...first, iptables, session, networks, sockets},
		interfaces: nameInside(first.interfaces, networks),
	};
}
