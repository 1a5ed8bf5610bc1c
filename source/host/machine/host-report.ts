import type {Published} from '../../existing/nat/published-ports.ts';
import {type Fact, known, mapFact} from '../../lib/fact.ts';
import {printAccessPort} from '../../ruleset/lockout.ts';
import {type InnerNetwork, notForGuests} from '../../services/guest-service.ts';
import type {Listener} from '../../services/listener.ts';
import type {ProtocolUse} from '../../services/protocol-use.ts';
import {type Recommendation, recommendRole} from '../../services/recommend-role.ts';
import {detectIptables, type Iptables} from '../netfilter/backend.ts';
import {type ExistingFirewalls, findExisting} from '../netfilter/neighbours.ts';
import {findPublished} from '../netfilter/published-ports.ts';
import {isRehearsal} from '../rehearsal/is-rehearsal.ts';
import {findListeners} from '../sockets/listeners.ts';
import {findProtocolUses} from '../sockets/protocol-uses.ts';
import {findSession, type Session} from '../sockets/session.ts';
import {findFact} from './find-fact.ts';
import type {HostFacts} from './host-facts.ts';
import {findInnerNetworks} from './inner-networks.ts';
import {missingProgram} from './packages.ts';
import {netAdminHere, seesSockets} from './system.ts';

/** What takes time to find out about this machine: each fact is known, or not known, and why. */
export type HostReport = {
	readonly iptables: Fact<Iptables | 'absent'>;
	/** Has a kind of its own for a session that is not known. */
	readonly session: Session;
	readonly listeners: Fact<readonly Listener[]>;
	/** What receives protocols without ports. */
	readonly protocols: Fact<readonly ProtocolUse[]>;
	/** The ports that are forwarded to containers or other machines. */
	readonly published: Fact<readonly Published[]>;
	/** The other programs that filter here, their rules, and what can be done about them. */
	readonly existing: Fact<ExistingFirewalls>;
	/** The interfaces behind which hosts may be whose way out this machine is. */
	readonly networks: Fact<readonly InnerNetwork[]>;
	/** The role that fits this machine, and the way in which the user reached it. */
	readonly recommendation: Fact<Recommendation>;
};

/**
 * Finds out everything at once, each fact in at most three seconds. Never throws, changes nothing.
 * @param asked what was found out before; absent: it is found out too
 */
export async function reportHost(
	{families}: Pick<HostFacts, 'families'>,
	asked?: {
		readonly iptables: Iptables | undefined;
		readonly session: Session;
		readonly networks: readonly InnerNetwork[];
	},
): Promise<HostReport> {
	const asking: Promise<HostReport['iptables']> = asked
		? Promise.resolve(known(asked.iptables ?? 'absent'))
		: findFact(async () => (await detectIptables()) ?? 'absent');
	const [iptables, session, listeners, protocols, published, existing, networks] =
		await Promise.all([
			asking,
			asked ? known(asked.session) : findFact(findSession),
			findFact(async () => {
				if (!seesSockets()) {
					throw new Error('/proc/net cannot be read');
				}

				return findListeners();
			}),
			findFact(findProtocolUses),
			findFact(async () => {
				assertRulesCanBeRead();
				if (isRehearsal()) {
					throw new Error('a rehearsal has none of the rules that publish ports');
				}

				return findPublished();
			}),
			findFact(async () => {
				assertRulesCanBeRead();
				const found = await asking;
				if (found.value === undefined || found.value === 'absent') {
					throw new Error('why' in found ? found.why : `${missingProgram()} is not installed`);
				}

				return findExisting(families, found.value.backend);
			}),
			asked ? known(asked.networks) : findFact(findInnerNetworks),
		]);
	const reached = session.value ?? {kind: 'unknown' as const};
	return {
		...{iptables, session: reached, listeners, protocols, published, existing, networks},
		recommendation: mapFact(listeners, (found) =>
			recommendFor(
				reached,
				recommendRole(notForGuests(found, networks.value ?? []), published.value),
			),
		),
	};
}

/** @throws {Error} where this process may not read rules */
function assertRulesCanBeRead(): void {
	const netAdmin = netAdminHere();
	if (netAdmin.value !== true) {
		throw new Error(
			'why' in netAdmin ? netAdmin.why : 'this process may not administer the network',
		);
	}
}

/**
 * A user who reached the machine over the network wants to reach it again, also where nothing but
 * sshd listens. The wizard and the facts both recommend by this function.
 */
function recommendFor(session: Session, found: Recommendation): Recommendation {
	return found.role === 'workstation' && session.kind === 'remote'
		? {
				role: 'server',
				reason: `you came in through ${session.accessPorts.map(printAccessPort).join(' and ')}, and want to log in again`,
			}
		: found;
}
