import {canKeepConnections} from '../change/preserve-connections.ts';
import {clearUp} from '../change/recover.ts';
import {type Existing, keepsAll, type Manager} from '../existing/cleanup-plan.ts';
import type {SavedRules} from '../existing/saved-rules.ts';
import type {RulesSnapshot} from '../existing/snapshot.ts';
import type {Facts} from '../host/machine/facts.ts';
import {interfaceNames} from '../host/machine/interfaces.ts';
import {findOwners} from '../host/netfilter/managers.ts';
import {readSnapshots} from '../host/netfilter/snapshot.ts';
import {inboundOf, readTcpSockets, type TcpSocket} from '../host/sockets/proc-net.ts';
import {commandNameOf, holdersOf} from '../host/sockets/processes.ts';
import {findProtocolUses} from '../host/sockets/protocol-uses.ts';
import type {HostError} from '../lib/errors.ts';
import type {Family} from '../lib/network.ts';
import {findBootLoaders} from '../persistence/boot-loaders/find.ts';
import {savedRulesOf} from '../persistence/boot-loaders/saved-rules.ts';
import type {BootChoice} from '../persistence/init-system.ts';
import {findInitSystem, readChoice} from '../persistence/plan.ts';
import {findMissingRight, findUnsupported} from '../persistence/unsupported.ts';
import type {Backend} from '../ruleset/model.ts';
import type {GuestService} from '../services/guest-service.ts';
import type {ProtocolUse} from '../services/protocol-use.ts';
import {findGuests} from './find-guests.ts';
import {NOTHING_PUBLISHED, type PublishedHere} from './govern-published.ts';
import {findPublishedHere} from './published-here.ts';

/** What of the machine a plan depends on. */
export type ApplyFacts = Pick<Facts, 'families' | 'root' | 'iptables' | 'session' | 'networks'> & {
	/** Root without the right to load rules, with the way out. */
	readonly missingRight: HostError | undefined;
	/** Why rules would not last on this system, with the way out. */
	readonly unsupported: HostError | undefined;
	/** What the user has said before of how the rules are to be loaded at boot. */
	readonly savedBoot: BootChoice | undefined;
	/** The programs that own the firewall of this machine; empty where they are not known. */
	readonly owners: readonly Manager[];
	/** All rules that are loaded now. Undefined where they are not known, and where all of them stay. */
	readonly snapshots: readonly RulesSnapshot[] | undefined;
	/** The files that load rules of iptables at boot; empty where they are not known. */
	readonly saved: readonly SavedRules[];
	/** What receives protocols without ports; empty where it is not known. */
	readonly protocolUses: readonly ProtocolUse[];
	/** What serves containers, virtual machines and clients behind this machine, and is let in by nobody else. */
	readonly guests: readonly GuestService[];
	/** The ports that containers publish, and what else their rules depend on. */
	readonly published: PublishedHere;
	/** The names of all interfaces; undefined where they are not known. */
	readonly interfaceNames: ReadonlyMap<string, string | undefined> | undefined;
	/** The connections of others to this machine now. */
	readonly connections: readonly Connection[];
};

/** A connection of another machine to this one. */
export type Connection = TcpSocket & {
	/** The program that has it, where that is known. */
	readonly program?: string;
	/** Whether it lives on when the rules block its port: answers to what conntrack knows pass. */
	readonly stays: boolean;
};

/**
 * Reads what a plan depends on, beside the facts. Rules are read only by root, and only where some of
 * them are to be removed; a change that was cut off is cleared up before that, since its rules would
 * go before the new change is made.
 * @throws {HostError} where they cannot be read
 */
export async function gatherApplyFacts(facts: Facts, existing: Existing): Promise<ApplyFacts> {
	const {families, iptables, root} = facts;
	const [owners, connections, protocolUses, guests, published, snapshots, saved] =
		await Promise.all([
			findOwners(),
			nameHolders(readConnections()),
			findProtocolUses(),
			findGuests(facts),
			root ? findPublishedHere(facts.networks) : NOTHING_PUBLISHED,
			iptables && root && !keepsAll(existing) ? readRules(families, iptables.backend) : undefined,
			iptables && root && !keepsAll(existing) ? findSavedRules(iptables.backend) : [],
		]);
	return {
		...knownFacts(facts),
		...{owners, connections, protocolUses, guests, published, snapshots, saved},
	};
}

/** The files that load rules of iptables when this machine boots. */
export async function findSavedRules(backend: Backend): Promise<readonly SavedRules[]> {
	return savedRulesOf(await findBootLoaders(findInitSystem()?.name ?? 'none', backend));
}

async function readRules(
	families: readonly Family[],
	backend: Backend,
): Promise<readonly RulesSnapshot[]> {
	await clearUp();
	return readSnapshots(families, backend);
}

/**
 * What is known at once of what a plan depends on: neither owners nor rules are.
 * @param sockets what was just read of them
 */
export function knownFacts(facts: Facts, sockets?: readonly TcpSocket[]): ApplyFacts {
	return {
		...facts,
		missingRight: findMissingRight(),
		unsupported: findUnsupported(),
		savedBoot: readChoice(),
		owners: [],
		snapshots: undefined,
		saved: [],
		protocolUses: [],
		guests: [],
		published: NOTHING_PUBLISHED,
		interfaceNames: interfaceNames(),
		connections: readConnections(sockets),
	};
}

/**
 * The connections of others to this machine. Where the program conntrack can tell the kernel of them, it
 * treats their packets as answers, whatever the new rules say.
 */
function readConnections(sockets = readTcpSockets()): readonly Connection[] {
	const stays = canKeepConnections();
	return inboundOf(sockets).map((socket) => ({...socket, stays}));
}

async function nameHolders(connections: readonly Connection[]): Promise<readonly Connection[]> {
	const holders = await holdersOf(new Set(connections.map(({inode}) => inode)));
	return connections.map((one) => {
		const [pid] = holders.get(one.inode) ?? [];
		return pid === undefined ? one : {...one, program: commandNameOf(pid)};
	});
}
