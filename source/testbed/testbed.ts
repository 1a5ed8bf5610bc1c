import type {Interface} from '../host/machine/interfaces.ts';
import {type Namespace, withNamespace} from '../host/netns.ts';
import type {Family} from '../lib/network.ts';
import type {Vantage} from '../ruleset/evaluate-ports.ts';
import {type Agent, lazyAgent, startAgent} from './agent-client.ts';
import {
	addBeyond,
	addVantages,
	BEYOND,
	type Cable,
	introduce,
	ip,
	layCables,
	type Places,
	planCables,
	targetOf,
} from './topology.ts';

/** A place that looks like this machine, and the network around it: both thrown away afterwards. */
export type World = {
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
	readonly targetFor: (vantage: Vantage) => string;
	readonly cableTo: (vantage: Vantage) => Cable;
	/**
	 * Tells both sides each other's link-layer addresses, so that packets arrive also under rules that
	 * shut out neighbour discovery, and none waits for it.
	 */
	readonly introduce: (vantages: readonly Vantage[]) => Promise<void>;
	/** They have to ask again. */
	readonly forget: () => Promise<void>;
};

/**
 * Builds the world, lends it, and removes it: its namespaces end with this process, whatever ends it.
 * @param vantages where packets are to come from; their interfaces are made where they do not exist
 * @throws {HostError} where namespaces or cables are not allowed
 */
export async function withWorld<T>(
	interfaces: readonly Interface[],
	vantages: readonly Vantage[],
	use: (world: World) => Promise<T>,
): Promise<T> {
	return withNamespace(async (machine) =>
		withNamespace(
			async (outside) =>
				withNamespace(
					async (beyond) => useWorld({machine, outside, beyond}, interfaces, vantages, use),
					machine,
				),
			machine,
		),
	);
}

/** The same for a few packets only: a third of the programs to start, and nothing is beyond. */
export async function withSmallWorld<T>(
	interfaces: readonly Interface[],
	vantages: readonly Vantage[],
	use: (world: World) => Promise<T>,
): Promise<T> {
	return withNamespace(async (machine) =>
		withNamespace(
			async (outside) => useWorld({machine, outside}, interfaces, vantages, use),
			machine,
		),
	);
}

async function useWorld<T>(
	{machine, outside, beyond}: Places,
	interfaces: readonly Interface[],
	vantages: readonly Vantage[],
	use: (world: World) => Promise<T>,
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
		const cables = planCables(interfaces, vantages);
		await layCables(machine, outside, cables);
		await addVantages(machine, outside, cables, vantages);
		if (beyond) {
			await addBeyond({machine, outside, beyond}, cables);
		}

		const cableTo = (vantage: Vantage) => {
			const cable = cables.find(({name}) => name === vantage.inInterface);
			if (!cable) {
				throw new RangeError(`no cable to ${vantage.inInterface}`);
			}

			return cable;
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
			targetFor: (vantage) => targetOf(vantage, cableTo(vantage)),
			cableTo,
			introduce: async (met) => introduce(machine, outside, cableTo, met),
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
