import {describeNeighbourChoice, type NeighbourChoice} from '../existing/describe-choice.ts';
import type {Published} from '../existing/nat/published-ports.ts';
import type {Neighbour} from '../existing/neighbours.ts';
import type {Facts} from '../host/machine/facts.ts';
import {within} from '../host/machine/report.ts';
import {netAdminHere, seesSockets} from '../host/machine/system.ts';
import {findNeighbours} from '../host/netfilter/neighbours.ts';
import {findPublished} from '../host/netfilter/published-ports.ts';
import {isRehearsal} from '../host/rehearsal/is-rehearsal.ts';
import {findListeners, type Listener} from '../host/sockets/listeners.ts';
import {printAccessPort} from '../ruleset/lockout.ts';
import {type Recommendation, recommendRole} from '../services/recommend-role.ts';
import type {ApplyFacts} from './apply-facts.ts';

/** What is known of the machine, as far as answers depend on it. Undefined: not yet, or not at all. */
export type Known = {
	readonly listeners: readonly Listener[] | undefined;
	readonly published: readonly Published[] | undefined;
	readonly recommendation: Recommendation | undefined;
	/** What can be done about neighbours; empty where there is nothing to decide. */
	readonly choices: readonly NeighbourChoice[] | undefined;
};

/** What was found out about a machine beside its facts. */
export type Found = {
	readonly known: Known;
	/** Undefined: that was not found out, or is not ours to know. */
	readonly neighbours: readonly Neighbour[] | undefined;
};

/** The same, with what a plan must know of existing rules. */
export type Discovery = Found & {
	readonly existing: Partial<Pick<ApplyFacts, 'owners' | 'snapshots'>>;
};

/** What the wizard's answers depend on. Never throws: what was not found out in time stays unknown. */
export async function discover(facts: Facts): Promise<Discovery> {
	const mayRead = netAdminHere() === true;
	const {families, iptables} = facts;
	const sees = seesSockets();
	const [listeners, published, surroundings] = await Promise.all([
		sees ? known(findListeners) : undefined,
		// A rehearsal has none of the rules that publish ports: that says nothing of the machine.
		sees && mayRead && !isRehearsal() ? known(findPublished) : undefined,
		mayRead && iptables ? known(async () => findNeighbours(families, iptables.backend)) : undefined,
	]);
	const recommendation = listeners && recommendFor(facts, recommendRole(listeners, published));
	const owners = surroundings?.owners ?? [];
	const imported =
		owners.length > 0
			? await known(async () => {
					const {readTranslation} = await import('../host/netfilter/import-rules.ts');
					return readTranslation(owners);
				})
			: undefined;
	return {
		known: {
			...{listeners, published, recommendation},
			choices: surroundings?.choices.map((choice) => describeNeighbourChoice(choice, imported)),
		},
		neighbours: surroundings?.neighbours,
		existing: surroundings ? {owners: surroundings.owners, snapshots: surroundings.snapshots} : {},
	};
}

async function known<T>(find: () => Promise<T>): Promise<T | undefined> {
	const value = await within(find);
	return value === 'unknown' ? undefined : value;
}

/** Who came from outside wants to come again, also where nothing but sshd listens. */
function recommendFor({session}: Facts, found: Recommendation): Recommendation {
	return found.role === 'workstation' && session.kind === 'remote'
		? {
				role: 'server',
				reason: `you came in through ${session.accessPorts.map(printAccessPort).join(' and ')}, and want to come in again`,
			}
		: found;
}
