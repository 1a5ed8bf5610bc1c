import type {Interface} from '../host/machine/interfaces.ts';
import {type Namespace, withNamespace} from '../host/netns.ts';
import type {Family} from '../lib/network.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {addVantagePoints} from './add-vantage-points.ts';
import {type Agent, lazyAgent, startAgent} from './agent-client.ts';
import {addManySources} from './many-sources.ts';
import {
	addBeyond,
	BEYOND,
	createLinks,
	ip,
	type Namespaces,
	onLink,
	planLinks,
	seedNeighbours,
	targetOf,
	type VethLink,
} from './topology.ts';

/** A copy of this machine's network and of the network around it, in namespaces of our own. */
export type Testbed = {
	/** The copy that the rules are loaded into. It has the machine's interfaces and addresses. */
	readonly machine: Namespace;
	/** The network around it: packets are sent from here. */
	readonly outside: Namespace;
	/** Kernel parameters could be set: ICMP errors are not rate limited, and the outside forwards. */
	readonly adjustable: boolean;
	readonly inMachine: Agent;
	/** Agents in the outside, one for each family, that work at the same time. Without `beyond` it is one. */
	readonly senders: Readonly<Record<Family, Agent>>;
	/**
	 * Addresses of a machine behind a link that takes only small packets. The outside is the router to
	 * that machine, which exists only where it was asked for.
	 */
	readonly beyond: Readonly<Record<Family, string>>;
	/** Starts the agent in that machine. To be called after all sweeps. */
	readonly startBeyond: () => Promise<Agent>;
	/** The machine's address that packets from a vantage point are sent to. */
	readonly targetFor: (vantagePoint: VantagePoint) => string;
	/** The ends of a packet from a vantage point, as sockets of the outside take them. */
	readonly endsFor: (vantagePoint: VantagePoint) => {
		readonly source: string;
		readonly target: string;
	};
	readonly linkTo: (vantagePoint: VantagePoint) => VethLink;
	/**
	 * Enters each side's link-layer addresses into the other side's neighbour table. So packets also arrive
	 * under rules that block neighbour discovery, and no packet waits for it.
	 */
	readonly seedNeighbours: (vantagePoints: readonly VantagePoint[]) => Promise<void>;
	/**
	 * Adds vantage points on links that exist. With `many` they share a router, and no answer reaches them
	 * once `forgetNeighbours` was called.
	 */
	readonly addVantagePoints: (
		vantagePoints: readonly VantagePoint[],
		many?: 'many',
	) => Promise<void>;
	/** Removes these entries, so that both sides need neighbour discovery again. */
	readonly forgetNeighbours: () => Promise<void>;
};

/**
 * Builds a testbed, lends it, and removes it. Its namespaces end with this process, however it ends.
 * @param vantagePoints where packets are to come from; interfaces that do not exist yet are made
 * @param beyond whether there is a machine beyond the outside, and an agent for each family. Without it a
 * third of the programs are started: enough where only a few packets are sent
 * @throws {HostError} where namespaces or veth links are not allowed
 */
export async function withTestbed<T>(
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
	use: (testbed: Testbed) => Promise<T>,
	{beyond: hasBeyond = true}: {readonly beyond?: boolean} = {},
): Promise<T> {
	const runIn = async (namespaces: Namespaces) =>
		buildAndUse(namespaces, interfaces, vantagePoints, use);
	return withNamespace(async (machine) =>
		withNamespace(
			async (outside) =>
				hasBeyond
					? withNamespace(async (beyond) => runIn({machine, outside, beyond}), machine)
					: runIn({machine, outside}),
			machine,
		),
	);
}

async function buildAndUse<T>(
	{machine, outside, beyond}: Namespaces,
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
	use: (testbed: Testbed) => Promise<T>,
): Promise<T> {
	const first = startAgent(outside);
	const senders = {4: first, 6: beyond ? startAgent(outside) : first};
	// It is needed only by the checks, after all sweeps.
	const inMachine = lazyAgent(machine);
	let inBeyond: Promise<Agent> | undefined;
	// All sweeps are over: one agent in the outside is enough, and each takes 50 MB.
	const replaceSender = async (there: Namespace) => {
		const old = senders[6];
		senders[6] = senders[4];
		await old.stop();
		return startAgent(there);
	};
	try {
		const [quiet, , forwarding] = await Promise.all([
			setParameters(machine, QUIET_NETWORK, 0),
			setParameters(outside, QUIET_NETWORK, 0),
			setParameters(outside, FORWARDING, 1),
		]);
		const links = planLinks(interfaces, vantagePoints);
		await createLinks(machine, outside, links);
		await addVantagePoints(machine, outside, links, vantagePoints);
		if (beyond) {
			await addBeyond({machine, outside, beyond}, links);
		}

		const linkTo = (vantagePoint: VantagePoint) => {
			const link = links.find(({name}) => name === vantagePoint.inInterface);
			if (!link) {
				throw new RangeError(`no link to ${vantagePoint.inInterface}`);
			}

			return link;
		};
		return await use({
			machine,
			outside,
			adjustable: quiet && forwarding,
			inMachine,
			senders,
			beyond: BEYOND,
			async startBeyond() {
				if (beyond === undefined) {
					throw new RangeError('this testbed has no machine beyond the outside');
				}

				inBeyond ??= replaceSender(beyond);
				return inBeyond;
			},
			targetFor: (vantagePoint) => targetOf(vantagePoint, linkTo(vantagePoint)),
			endsFor(vantagePoint) {
				const link = linkTo(vantagePoint);
				const target = targetOf(vantagePoint, link);
				return {source: onLink(vantagePoint.source, link), target: onLink(target, link)};
			},
			linkTo,
			seedNeighbours: async (some) => seedNeighbours(machine, outside, linkTo, some),
			addVantagePoints: async (some, many) =>
				many
					? addManySources(machine, outside, linkTo, some)
					: addVantagePoints(machine, outside, links, some),
			async forgetNeighbours() {
				await ip(machine, ['neigh flush nud permanent']);
				await ip(outside, ['neigh flush nud permanent']);
			},
		});
	} finally {
		await Promise.all(
			[inMachine, ...new Set([senders[4], senders[6]]), await inBeyond].map(async (agent) =>
				agent?.stop(),
			),
		);
	}
}

/**
 * Sets kernel parameters of a namespace, except ones that this kernel does not have.
 * @returns false where they may not be set
 */
async function setParameters(
	namespace: Namespace,
	names: readonly string[],
	value: number,
): Promise<boolean> {
	return writeParameters(
		namespace,
		names.map((name) => `/proc/sys/${name.replaceAll('.', '/')}`),
		value,
	);
}

/** The same, by the names of their files. */
export async function writeParameters(
	namespace: Namespace,
	files: readonly string[],
	value: number,
): Promise<boolean> {
	const input = `${value}\n`;
	// tee(1) writes its input into all files, and continues after one that does not exist.
	const {stderr} = await namespace.run('tee', files, {input});
	if (!stderr.includes('Read-only file system')) {
		return true;
	}

	const again = ['--mount', '--', 'sh', '-c', WRITABLE, 'sh', ...files];
	return (await namespace.run('unshare', again, {input})).stdout !== '';
}

/** systemd-nspawn and others mount /proc/sys read-only. A mount namespace of our own may mount it writable. */
const WRITABLE = 'mount -o remount,bind,rw /proc/sys && exec tee "$@"';

const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'];

/**
 * Parameters to be set to 0: no rate limit on ICMP errors, no reverse path filter, no waiting for the
 * detection of duplicate addresses.
 */
const QUIET_NETWORK = [
	'net.ipv4.icmp_ratelimit',
	'net.ipv6.icmp.ratelimit',
	'net.ipv4.conf.all.rp_filter',
	'net.ipv4.conf.default.rp_filter',
	'net.ipv6.conf.default.accept_dad',
	'net.ipv6.conf.default.dad_transmits',
	'net.ipv6.conf.default.router_solicitations',
];
