import os from 'node:os';
import type {Published} from '../../existing/nat/published-ports.ts';
import type {Neighbour} from '../../existing/neighbours.ts';
import {type ScopedAddress, scopeOf} from '../../lib/address-scope.ts';
import {printable} from '../../lib/printable.ts';
import {type Recommendation, recommendRole} from '../../services/recommend-role.ts';
import {type Elevation, findElevation} from '../exec/elevation.ts';
import {findProgram} from '../exec/find-program.ts';
import {run} from '../exec/run.ts';
import {yieldToEventLoop} from '../exec/yield.ts';
import {detectIptables, type Iptables, requireIptables} from '../netfilter/backend.ts';
import {findNeighbours} from '../netfilter/neighbours.ts';
import {findPublished} from '../netfilter/published-ports.ts';
import {namespacesAllowed} from '../rehearsal/start.ts';
import {findListeners, type Listener} from '../sockets/listeners.ts';
import {findSession, type Session} from '../sockets/session.ts';
import {isRoot} from './facts-sync.ts';
import {findRunningInit, type RunningInit} from './init-system.ts';
import {
	distributionHere,
	type Ipv6,
	ipv6Here,
	kernelHere,
	netAdminHere,
	seesSockets,
} from './system.ts';

/** Something that may not be known here; the reason is among `missing` where there is one. */
export type Known<T> = T | 'unknown';

/** All that can be found out about a machine without touching it, as a bug report needs it. */
export type Machine = {
	readonly kernel: string;
	readonly distribution: Known<string>;
	readonly init: RunningInit;
	readonly iptables: Known<Iptables | 'absent'>;
	readonly nft: Known<string | 'absent'>;
	readonly ipv6: Ipv6;
	readonly root: boolean;
	/** Whether this process may read and change rules. */
	readonly netAdmin: Known<boolean>;
	/** How somebody who is not root becomes it. */
	readonly elevation: Elevation | 'absent';
	readonly namespaces: Known<'allowed' | 'forbidden'>;
	readonly session: Session;
	readonly interfaces: ReadonlyArray<{
		readonly name: string;
		readonly addresses: readonly ScopedAddress[];
	}>;
	readonly listeners: Known<readonly Listener[]>;
	readonly published: Known<readonly Published[]>;
	readonly neighbours: Known<readonly Neighbour[]>;
	readonly recommended: Known<Recommendation>;
	/** What is not here or may not be seen, and what that means; one sentence each. */
	readonly missing: readonly string[];
};

/** Milliseconds after which one fact is given up, however long it would take. */
const TIMEOUT_MS = 3000;

/** Finds out everything at once. Nothing throws: what fails or takes too long is unknown. */
export async function findMachine(): Promise<Machine> {
	const netAdmin = netAdminHere();
	const ipv6 = ipv6Here();
	const families = ipv6 === 'absent' ? ([4] as const) : ([4, 6] as const);
	const detected = within(async () => (await detectIptables()) ?? 'absent');
	const readNeighbours = async () => {
		const found = await detected;
		const {iptables} = requireIptables({iptables: typeof found === 'string' ? undefined : found});
		return findNeighbours(families, iptables.backend);
	};
	const [iptables, nft, namespaces, session, listeners, published, surroundings] =
		await Promise.all([
			detected,
			within(findNft),
			within(async () => ((await namespacesAllowed()) ? 'allowed' : 'forbidden')),
			within(async () => findSession()),
			within(async () => (seesSockets() ? findListeners() : 'unknown')),
			within(async () => (netAdmin === true ? findPublished() : 'unknown')),
			within(async () => (netAdmin === true ? readNeighbours() : 'unknown')),
		]);
	const machine = {
		kernel: kernelHere(),
		distribution: distributionHere(),
		init: findRunningInit(),
		iptables,
		nft,
		ipv6,
		root: isRoot(),
		netAdmin,
		elevation: findElevation() ?? 'absent',
		namespaces,
		session: session === 'unknown' ? ({kind: 'unknown'} as const) : session,
		interfaces: interfacesOf(os.networkInterfaces()),
		listeners,
		published,
		neighbours: surroundings === 'unknown' ? surroundings : surroundings.neighbours,
		recommended:
			listeners === 'unknown'
				? ('unknown' as const)
				: recommendRole(listeners, published === 'unknown' ? [] : published),
	} satisfies Omit<Machine, 'missing'>;
	return {...machine, missing: missingOn(machine)};
}

async function findNft(): Promise<Known<string>> {
	if (findProgram('nft') === undefined) {
		return 'absent';
	}

	const {stdout} = await run('nft', ['--version'], {timeout: TIMEOUT_MS});
	return /v([\d.]+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** The interfaces that are up, loopback too, with all their addresses. */
export function interfacesOf(found: NodeJS.Dict<os.NetworkInterfaceInfo[]>): Machine['interfaces'] {
	return Object.entries(found).map(([name, list = []]) => ({
		name: printable(name),
		addresses: list.map(({address, cidr}) => ({
			cidr: cidr ?? address,
			scope: scopeOf(address),
		})),
	}));
}

function missingOn(machine: Omit<Machine, 'missing'>): readonly string[] {
	const {iptables, nft, root, netAdmin, listeners, namespaces, ipv6} = machine;
	return [
		...(iptables === 'absent'
			? ['iptables is not installed: rules can be printed, not loaded']
			: []),
		...(nft === 'absent' ? ['nft is not installed: rules cannot be proven by packets'] : []),
		...(findProgram('ss') === undefined
			? ['ss is not installed: whether an IPv6 socket serves IPv4 as well is only guessed']
			: []),
		...(root && netAdmin !== true
			? [
					'root has no right to administer the network here (CAP_NET_ADMIN): rules can be printed, not loaded',
				]
			: []),
		...(listeners === 'unknown'
			? [
					seesSockets()
						? 'The processes could not be read in time: what listens is not known'
						: '/proc/net cannot be read: what listens is not known',
				]
			: []),
		...(ipv6 === 'unknown'
			? ['/proc/sys/net cannot be read: rules are made for both families']
			: []),
		...(namespaces === 'forbidden'
			? ['Namespaces cannot be made: there is no rehearsal and no proof']
			: []),
	];
}

/** The fact, or `unknown` when it fails or is late. */
export async function within<T>(find: () => Promise<T>): Promise<Known<T>> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<'unknown'>((resolve) => {
		timer = setTimeout(() => resolve('unknown'), TIMEOUT_MS);
	});
	try {
		return await Promise.race([yieldToEventLoop().then(find), late]);
	} catch {
		return 'unknown';
	} finally {
		clearTimeout(timer);
	}
}
