import type {Published} from '../existing/nat/published-ports.ts';
import type {Neighbour} from '../existing/neighbours.ts';
import {type HostFacts, hostFacts} from '../host/machine/host-facts.ts';
import {type HostReport, reportHost} from '../host/machine/host-report.ts';
import type {RunningInit} from '../host/machine/init-system.ts';
import type {ScopedInterface} from '../host/machine/interfaces.ts';
import type {Ipv6} from '../host/machine/system.ts';
import {reportSystem, type SystemReport} from '../host/machine/system-report.ts';
import type {Iptables} from '../host/netfilter/backend.ts';
import type {Session} from '../host/sockets/session.ts';
import type {Elevation} from '../lib/command-line.ts';
import type {Fact} from '../lib/fact.ts';
import {makeMask, maskAll} from '../lib/mask.ts';
import type {Listener} from '../services/listener.ts';
import type {ProtocolUse} from '../services/protocol-use.ts';
import type {Recommendation} from '../services/recommend-role.ts';

/** A fact as the sheet has it; the reasons for 'unknown' are among `missing`. */
type OrUnknown<T> = T | 'unknown';

/** The facts about a machine as `facts` prints them, one field a line, and as scripts read them. */
export type FactSheet = {
	readonly kernel: string;
	readonly distribution: OrUnknown<string>;
	readonly init: RunningInit;
	readonly iptables: OrUnknown<Iptables | 'absent'>;
	readonly nft: OrUnknown<string | 'absent'>;
	readonly ipv6: OrUnknown<Ipv6>;
	readonly root: boolean;
	/** Whether this process may read and change rules. */
	readonly netAdmin: OrUnknown<boolean>;
	readonly elevation: Elevation | 'absent';
	readonly namespaces: OrUnknown<'allowed' | 'forbidden'>;
	readonly session: Session;
	readonly interfaces: readonly ScopedInterface[];
	readonly listeners: OrUnknown<readonly Listener[]>;
	/** What receives protocols without ports. */
	readonly protocols: OrUnknown<readonly ProtocolUse[]>;
	readonly published: OrUnknown<readonly Published[]>;
	readonly neighbours: OrUnknown<readonly Neighbour[]>;
	readonly recommended: OrUnknown<Recommendation>;
	/** What is not installed or not known, and what that means or why it is so; one sentence each. */
	readonly missing: readonly string[];
};

/** Finds out everything about this machine. Never throws, changes nothing. */
export async function makeFactSheet(): Promise<FactSheet> {
	const host = hostFacts();
	const [report, system] = await Promise.all([reportHost(host), reportSystem()]);
	const {existing} = report;
	return {
		kernel: system.kernel,
		distribution: orUnknown(system.distribution),
		init: system.init,
		iptables: orUnknown(report.iptables),
		nft: orUnknown(system.nft),
		ipv6: orUnknown(system.ipv6),
		root: host.root,
		netAdmin: orUnknown(system.netAdmin),
		elevation: system.elevation,
		namespaces: orUnknown(system.namespaces),
		session: report.session,
		interfaces: system.interfaces,
		listeners: orUnknown(report.listeners),
		protocols: orUnknown(report.protocols),
		published: orUnknown(report.published),
		neighbours: existing.value?.neighbours ?? 'unknown',
		recommended: orUnknown(report.recommendation),
		missing: describeMissing(host, report, system),
	};
}

function orUnknown<T>(fact: Fact<T>): OrUnknown<T> {
	return 'why' in fact ? 'unknown' : fact.value;
}

/** What is not here or may not be seen, and what that means. */
function describeMissing(
	{root}: HostFacts,
	{iptables, listeners, published, existing}: HostReport,
	{nft, netAdmin, namespaces, ipv6, hasSs}: SystemReport,
): readonly string[] {
	return [
		...(iptables.value === 'absent'
			? ['iptables is not installed: rules can be printed, not loaded']
			: []),
		...(nft.value === 'absent' ? ['nft is not installed: rules cannot be proven by packets'] : []),
		...(hasSs
			? []
			: ['ss is not installed: whether an IPv6 socket serves IPv4 as well is only guessed']),
		...(root && netAdmin.value !== true
			? [
					'root has no right to administer the network here (CAP_NET_ADMIN): rules can be printed, not loaded',
				]
			: []),
		...('why' in listeners ? [`${listeners.why}: what listens is not known`] : []),
		...why('Which iptables is in use is not known', iptables),
		...why('The version of nft is not known', nft),
		// An ordinary user may not read them: no surprise, and said by the line about root.
		...(netAdmin.value === true
			? [
					...why('Which ports are forwarded is not known', published),
					...(iptables.value === undefined || iptables.value === 'absent'
						? []
						: why('Which other programs filter here is not known', existing)),
				]
			: []),
		...why('Whether namespaces can be made is not known', namespaces),
		...('why' in ipv6 ? ['/proc/sys/net cannot be read: rules are made for both families'] : []),
		...(namespaces.value === 'forbidden'
			? ['Namespaces cannot be made: there is no rehearsal and no proof']
			: []),
	];
}

/** A sentence on a fact that is not known, with the reason. */
function why(sentence: string, fact: Fact<unknown>): readonly string[] {
	return 'why' in fact ? [`${sentence}: ${fact.why}`] : [];
}

/** The same facts without this machine's addresses and those of its visitors; versions stay. */
export function maskFacts(sheet: FactSheet): FactSheet {
	const {interfaces, session, listeners, protocols, published, neighbours, missing} = sheet;
	const nameless =
		published === 'unknown'
			? published
			: published.map(({container: _, image: __, ...port}) => port);
	const told = {
		...{interfaces, session, listeners, protocols, neighbours, missing},
		published: nameless,
	};
	return {...sheet, ...maskAll(told, makeMask())};
}
