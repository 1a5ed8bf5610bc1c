import {hasNft} from '../host/netfilter/nftables.ts';
import {HostError} from '../lib/errors.ts';
import {FAMILIES, type Family} from '../lib/network.ts';
import {ALL_PORTS, countPorts, type PortRange, subtractRanges} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {installSynMaker} from '../testbed/syn.ts';
import type {Testbed} from '../testbed/testbed.ts';
import type {SeenPorts} from './compare-ports.ts';
import {
	countArrivals,
	installCounters,
	type Ports,
	readPorts,
	readSentOn,
	resetCounters,
	type SentOn,
	stopDropping,
} from './count-nft.ts';
import {pieces, SENDING_ORDER, TRIES} from './port-pieces.ts';
import {forwardedPorts} from './published.ts';
import {sweepWithIptables} from './sweep-iptables.ts';

/** The ports that packets of one vantage point passed to. */
export type Observation = {
	readonly vantagePoint: VantagePoint;
	readonly passed: Ports;
	/** The ports whose packets went to a container or another machine, where `follows` asked for them. */
	readonly forwarded?: Ports;
	/** The same with where they went. This takes nft(8). */
	readonly sent?: SentOn;
};

/** How many packets have been sent, and how many will be in all. */
export type Progress = {readonly sent: number; readonly total: number};

type SweepOptions = {
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/** The ports to send to. Default: all. */
	readonly ports?: readonly PortRange[];
	/** Stretches of ports that the rules treat alike, as far as it is known. Speeds up a sweep without nft(8). */
	readonly alike?: readonly PortRange[];
	/** Whether to collect forwarded and published ports too, which needs nft(8). */
	readonly follows?: boolean;
	/**
	 * Whether the rules have chains at ingress, which drop packets before they can be counted as arrived.
	 * A packet that does not arrive then counts as not passed.
	 */
	readonly ingress?: boolean;
};

/**
 * Sends one packet to each port from each vantage point, over TCP and over UDP, and reads from the kernel
 * which ones passed. Both families are swept at the same time.
 * @throws {HostError} when packets do not arrive: then nothing is known
 */
export async function sweep(
	testbed: Testbed,
	vantagePoints: readonly VantagePoint[],
	{
		onProgress = () => {},
		ports = [ALL_PORTS],
		alike = [ALL_PORTS],
		follows = false,
		ingress = false,
	}: SweepOptions = {},
): Promise<readonly Observation[]> {
	const withNft = hasNft();
	if (withNft) {
		await installCounters(testbed.machine, [
			...new Set(vantagePoints.map(({inInterface}) => inInterface)),
		]);
		await installSynMaker(testbed.outside);
	}

	await testbed.seedNeighbours(vantagePoints);
	const total = vantagePoints.length * SENDING_ORDER.length * countPorts(ports);
	let sent = 0;
	const onSent = (count: number) => {
		sent += count;
		onProgress({sent: Math.min(sent, total), total});
	};
	const observations: Observation[] = [];
	for (const round of rounds(vantagePoints)) {
		const before = withNft ? await resetAndCount(testbed) : {4: 0, 6: 0};
		const seen = await Promise.all(
			round.map(
				async (vantagePoint): Promise<Observation> => ({
					vantagePoint,
					...(withNft
						? {
								passed: await sweepWithNft(testbed, vantagePoint, {
									...{ports, ingress, onSent},
									before: before[vantagePoint.family],
								}),
							}
						: await sweepWithoutNft(testbed, vantagePoint, ports, alike, onSent)),
				}),
			),
		);
		const sent = follows && withNft ? await readSentOn(testbed.machine) : undefined;
		observations.push(
			...seen.map((one) => (sent ? withSent(one, sent[one.vantagePoint.family]) : one)),
		);
	}

	if (withNft) {
		await stopDropping(testbed.machine);
	}

	await testbed.forgetNeighbours();
	return observations;
}

/** The same with what became of packets that went elsewhere. */
export function withSent(seen: Observation, sent: SentOn): Observation {
	return {...seen, forwarded: forwardedPorts(sent), sent};
}

async function resetAndCount({machine}: Testbed): Promise<Readonly<Record<Family, number>>> {
	await resetCounters(machine);
	return countArrivals(machine);
}

async function sweepWithoutNft(
	testbed: Testbed,
	vantagePoint: VantagePoint,
	ports: readonly PortRange[],
	alike: readonly PortRange[],
	onSent: (count: number) => void,
): Promise<Omit<SeenPorts, 'expected'>> {
	const passed = await sweepWithIptables(
		testbed,
		vantagePoint,
		ports,
		alike,
		async (protocol, some) => {
			for (const piece of pieces(some)) {
				await send(testbed, vantagePoint, protocol, piece);
				onSent(countPorts(piece));
			}
		},
	);
	if (typeof passed === 'number') {
		throw notArrived(passed, vantagePoint);
	}

	return passed;
}

export function notArrived(count: number, {family}: VantagePoint): HostError {
	return new HostError(
		`${count} packets over IPv${family} did not arrive in the copy of this machine`,
		'Nothing is proven. Try again when the machine is less busy',
		1,
	);
}

/** Groups vantage points for sweeps at the same time: one of each family, which the counters tell apart. */
function rounds(vantagePoints: readonly VantagePoint[]): ReadonlyArray<readonly VantagePoint[]> {
	const lists = FAMILIES.map((family) =>
		vantagePoints.filter((vantagePoint) => vantagePoint.family === family),
	);
	const length = Math.max(0, ...lists.map((list) => list.length));
	return Array.from({length}, (_, index) => lists.flatMap((list) => list[index] ?? []));
}

type NftSweep = {
	readonly ports: readonly PortRange[];
	/** See `SweepOptions`. */
	readonly ingress: boolean;
	/** How many packets of the family had arrived before. */
	readonly before: number;
	readonly onSent: (count: number) => void;
};

async function sweepWithNft(
	testbed: Testbed,
	vantagePoint: VantagePoint,
	{ports, ingress, before, onSent}: NftSweep,
): Promise<Ports> {
	for (const protocol of SENDING_ORDER) {
		for (const piece of pieces(ports)) {
			await send(testbed, vantagePoint, protocol === 'tcp' ? 'syn' : protocol, piece);
			onSent(countPorts(piece));
		}
	}

	const count = async () => (await countArrivals(testbed.machine))[vantagePoint.family];
	for (let tries = 1, seen = -1; ; tries += 1) {
		const arrivals = await count();
		// A chain at ingress drops all packets of a port: sent again, none of them arrives.
		const isDropped = ingress && arrivals === seen;
		seen = arrivals;
		const missing = isDropped
			? []
			: await findMissing(testbed, vantagePoint, ports, arrivals - before);
		if (missing.length === 0) {
			return readPorts(testbed.machine, 'passed', vantagePoint.family);
		}

		if (tries === TRIES) {
			throw notArrived(
				missing.reduce((sum, {ports}) => sum + countPorts(ports), 0),
				vantagePoint,
			);
		}

		for (const {protocol, ports} of missing) {
			// Where none has arrived, a part shows whether any does.
			const some = arrivals === before ? (pieces(ports)[0] ?? []) : ports;
			await send(testbed, vantagePoint, protocol, some);
		}
	}
}

type Missing = {readonly protocol: Protocol; readonly ports: readonly PortRange[]};

/** The ports that no packet has arrived at yet. */
async function findMissing(
	{machine}: Testbed,
	{family}: VantagePoint,
	ports: readonly PortRange[],
	arrivals: number,
): Promise<readonly Missing[]> {
	if (arrivals === SENDING_ORDER.length * countPorts(ports)) {
		return [];
	}

	const arrived = await readPorts(machine, 'arrived', family);
	return SENDING_ORDER.map((protocol) => ({
		protocol,
		ports: subtractRanges(ports, arrived[protocol]),
	})).filter(({ports}) => ports.length > 0);
}

async function send(
	{endsFor, senders}: Testbed,
	vantagePoint: VantagePoint,
	protocol: Protocol | 'syn',
	ports: readonly PortRange[],
): Promise<void> {
	await senders[vantagePoint.family].run('sweep', {...endsFor(vantagePoint), protocol, ports});
}
