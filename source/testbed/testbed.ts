import type {Interface} from '../host/machine/interfaces.ts';
import {type Namespace, withNamespace} from '../host/netns.ts';
import type {Family} from '../lib/network.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {type Agent, lazyAgent, startAgent} from './agent-client.ts';
import {
	addBeyond,
	addVantagePoints,
	BEYOND,
	createLinks,
	ip,
	type Places,
	planLinks,
	seedNeighbours,
	targetOf,
	type VethLink,
} from './topology.ts';

/** A place that looks like this machine, and the network around it: both thrown away afterwards. */
export type Testbed = {
	/** Where the rules go: with the machine's interfaces and addresses. */
	readonly machine: Namespace;
	readonly outside: Namespace;
	/** Its kernel parameters could be set: no limits on errors, and the outside forwards. */
	readonly adjustable: boolean;
	readonly inMachine: Agent;
	/** One sender for each family, who work at the same time; the same for both in a small world. */
	readonly senders: Readonly<Record<Family, Agent>>;
	/**
	 * A machine behind a link that takes only small packets; the outside is the router to it. A small
	 * world has none.
	 */
	readonly beyond: Readonly<Record<Family, string>>;
	/** Has it answer; to be called when all sweeps are done. */
	readonly startBeyond: () => Promise<Agent>;
	/** The address by which a vantage reaches the machine. */
	readonly targetFor: (vantagePoint: VantagePoint) => string;
	readonly linkTo: (vantagePoint: VantagePoint) => VethLink;
	/**
	 * Tells both sides each other's link-layer addresses, so that packets arrive also under rules that
	 * shut out neighbour discovery, and none waits for it.
	 */
	readonly seedNeighbours: (vantagePoints: readonly VantagePoint[]) => Promise<void>;
	/** They have to ask again. */
	readonly forget: () => Promise<void>;
};

/**
 * Builds the world, lends it, and removes it: its namespaces end with this process, whatever ends it.
 * @param vantages where packets are to come from; their interfaces are made where they do not exist
 * @throws {HostError} where namespaces or cables are not allowed
 */
export async function withTestbed<T>(
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
	use: (testbed: Testbed) => Promise<T>,
): Promise<T> {
	return withNamespace(async (machine) =>
		withNamespace(
			async (outside) =>
				withNamespace(
					async (beyond) => useTestbed({machine, outside, beyond}, interfaces, vantagePoints, use),
					machine,
				),
			machine,
		),
	);
}

/** The same for a few packets only: a third of the programs to start, and nothing is beyond. */
export async function withSmallTestbed<T>(
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
	use: (testbed: Testbed) => Promise<T>,
): Promise<T> {
	return withNamespace(async (machine) =>
		withNamespace(
			async (outside) => useTestbed({machine, outside}, interfaces, vantagePoints, use),
			machine,
		),
	);
}

async function useTestbed<T>(
	{machine, outside, beyond}: Places,
	interfaces: readonly Interface[],
	vantagePoints: readonly VantagePoint[],
	use: (testbed: Testbed) => Promise<T>,
): Promise<T> {
	const first = startAgent(outside);
	const senders = {4: first, 6: beyond ? startAgent(outside) : first};
	// It has nothing to do before the dialogues.
	const inMachine = lazyAgent(machine);
	let inBeyond: Agent | undefined;
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
				throw new RangeError(`no cable to ${vantagePoint.inInterface}`);
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
					throw new RangeError('nothing is beyond a small world');
				}

				if (inBeyond === undefined) {
					// Sweeping is over: one agent outside is enough, and each takes 50 MB.
					await senders[6].stop();
					senders[6] = senders[4];
					inBeyond = startAgent(beyond);
				}

				return inBeyond;
			},
			targetFor: (vantagePoint) => targetOf(vantagePoint, linkTo(vantagePoint)),
			linkTo,
			seedNeighbours: async (met) => seedNeighbours(machine, outside, linkTo, met),
			async forget() {
				await ip(machine, ['neigh flush nud permanent']);
				await ip(outside, ['neigh flush nud permanent']);
			},
		});
	} finally {
		await Promise.all(
			[inMachine, ...new Set([senders[4], senders[6]]), inBeyond].map(async (agent) =>
				agent?.stop(),
			),
		);
	}
}

/**
 * Sets kernel parameters of a namespace; ones that this kernel lacks are passed over.
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

/** The same by their files. */
export async function writeParameters(
	namespace: Namespace,
	files: readonly string[],
	value: number,
): Promise<boolean> {
	const input = `${value}\n`;
	// It writes what it reads into all of them, and goes on behind one that is not there.
	const {stderr} = await namespace.run('tee', files, {input});
	if (!stderr.includes('Read-only file system')) {
		return true;
	}

	const again = ['--mount', '--', 'sh', '-c', WRITABLE, 'sh', ...files];
	return (await namespace.run('unshare', again, {input})).stdout !== '';
}

/** systemd-nspawn and others show /proc/sys read-only; of our own mount namespace it may be another. */
const WRITABLE = 'mount -o remount,bind,rw /proc/sys && exec tee "$@"';

const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'];

/** To be 0: no limits on ICMP errors, no check of the way back, no waiting for duplicate addresses. */
const QUIET_NETWORK = [
	'net.ipv4.icmp_ratelimit',
	'net.ipv6.icmp.ratelimit',
	'net.ipv4.conf.all.rp_filter',
	'net.ipv4.conf.default.rp_filter',
	'net.ipv6.conf.default.accept_dad',
	'net.ipv6.conf.default.dad_transmits',
	'net.ipv6.conf.default.router_solicitations',
];
