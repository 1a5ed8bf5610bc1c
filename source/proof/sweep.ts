import {hasNft} from '../host/netfilter/nftables.ts';
import {HostError} from '../lib/errors.ts';
import {FAMILIES, type Family} from '../lib/network.ts';
import {ALL_PORTS, countPorts, type PortRange, subtractRanges} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import {installSynMaker} from '../testbed/syn.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {
	countArrivals,
	type Forwarded,
	installCounters,
	type Ports,
	readForwarded,
	readPorts,
	removeSwallow,
	resetCounters,
} from './count-nft.ts';
import {sweepWithIptables} from './sweep-iptables.ts';

/** What passed from one vantage. */
export type Observation = {
	readonly vantagePoint: VantagePoint;
	readonly passed: Ports;
	/** What went on to somebody else, where that was asked for. */
	readonly forwarded?: readonly Forwarded[];
};

/** So many packets of so many are sent. */
export type Progress = {readonly sent: number; readonly total: number};

const PROTOCOLS: readonly Protocol[] = ['udp', 'tcp'];
/** A sender tells how far it is after so many ports. */
const PIECE = 8192;
/** Packets that got lost on the way are sent again, so often at most. */
const TRIES = 4;

export type SweepOptions = {
	readonly onProgress?: ((progress: Progress) => void) | undefined;
	/** Which ports. Default: all. */
	readonly ports?: readonly PortRange[];
	/** Stretches of all ports that the rules treat alike, as far as is known. It helps where there is no nft. */
	readonly alike?: readonly PortRange[];
	/** Whether packets that the machine forwards are noted as well. Without nft they cannot be. */
	readonly follows?: boolean;
};

/**
 * Sends one packet to each port from each vantage, over TCP and UDP, and reads from the kernel which
 * passed. Both families go at the same time.
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
	}: SweepOptions = {},
): Promise<readonly Observation[]> {
	const notes = hasNft();
	if (notes) {
		await installCounters(testbed.machine, [
			...new Set(vantagePoints.map(({inInterface}) => inInterface)),
		]);
		await installSynMaker(testbed.outside);
	}

	await testbed.seedNeighbours(vantagePoints);
	const total = vantagePoints.length * PROTOCOLS.length * countPorts(ports);
	let sent = 0;
	const onSent = (count: number) => {
		sent += count;
		onProgress({sent: Math.min(sent, total), total});
	};
	const observations: Observation[] = [];
	for (const round of rounds(vantagePoints)) {
		const before = notes ? await startNoting(testbed) : {4: 0, 6: 0};
		const seen = await Promise.all(
			round.map(async (vantagePoint) => ({
				vantagePoint,
				passed: notes
					? await sweepFrom(testbed, vantagePoint, ports, before[vantagePoint.family], onSent)
					: await sweepWithoutNotes(testbed, vantagePoint, ports, alike, onSent),
				...(follows && notes
					? {forwarded: await readForwarded(testbed.machine, vantagePoint.family)}
					: {}),
			})),
		);
		observations.push(...seen);
	}

	if (notes) {
		await removeSwallow(testbed.machine);
	}

	await testbed.forgetNeighbours();
	return observations;
}

async function startNoting({machine}: Testbed): Promise<Readonly<Record<Family, number>>> {
	await resetCounters(machine);
	return countArrivals(machine);
}

async function sweepWithoutNotes(
	testbed: Testbed,
	vantagePoint: VantagePoint,
	ports: readonly PortRange[],
	alike: readonly PortRange[],
	onSent: (count: number) => void,
): Promise<Ports> {
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

function notArrived(count: number, {family}: VantagePoint): HostError {
	return new HostError(
		`${count} packets over IPv${family} did not arrive in the copy of this machine`,
		'Nothing is proven. Try again when the machine is less busy',
		1,
	);
}

/** Vantages that can be taken at the same time: one of each family, told apart by the counters. */
function rounds(vantagePoints: readonly VantagePoint[]): ReadonlyArray<readonly VantagePoint[]> {
	const lists = FAMILIES.map((family) =>
		vantagePoints.filter((vantagePoint) => vantagePoint.family === family),
	);
	const length = Math.max(0, ...lists.map((list) => list.length));
	return Array.from({length}, (_, index) => lists.flatMap((list) => list[index] ?? []));
}

async function sweepFrom(
	testbed: Testbed,
	vantagePoint: VantagePoint,
	ports: readonly PortRange[],
	before: number,
	onSent: (count: number) => void,
): Promise<Ports> {
	for (const protocol of PROTOCOLS) {
		for (const piece of pieces(ports)) {
			await send(testbed, vantagePoint, protocol === 'tcp' ? 'syn' : protocol, piece);
			onSent(countPorts(piece));
		}
	}

	for (let tries = 1; ; tries += 1) {
		const missing = await findMissing(testbed, vantagePoint, ports, before);
		if (missing.length === 0) {
			return readPorts(testbed.machine, 'passed', vantagePoint.family);
		}

		if (tries === TRIES) {
			const count = missing.reduce((sum, {ports}) => sum + countPorts(ports), 0);
			throw notArrived(count, vantagePoint);
		}

		for (const {protocol, ports} of missing) {
			await send(testbed, vantagePoint, protocol, ports);
		}
	}
}

type Missing = {readonly protocol: Protocol; readonly ports: readonly PortRange[]};

/** The ports at which no packet has arrived yet. */
async function findMissing(
	{machine}: Testbed,
	{family}: VantagePoint,
	ports: readonly PortRange[],
	before: number,
): Promise<readonly Missing[]> {
	const arrivals = (await countArrivals(machine))[family] - before;
	if (arrivals === PROTOCOLS.length * countPorts(ports)) {
		return [];
	}

	const arrived = await readPorts(machine, 'arrived', family);
	return PROTOCOLS.map((protocol) => ({
		protocol,
		ports: subtractRanges(ports, arrived[protocol]),
	})).filter(({ports}) => ports.length > 0);
}

async function send(
	testbed: Testbed,
	{family, source, ...vantagePoint}: VantagePoint,
	protocol: Protocol | 'syn',
	ports: readonly PortRange[],
): Promise<void> {
	const target = testbed.targetFor({family, source, ...vantagePoint});
	await testbed.senders[family].run('sweep', {protocol, source, target, ports});
}

function pieces(ports: readonly PortRange[]): ReadonlyArray<readonly PortRange[]> {
	const cut: PortRange[] = [];
	for (const {first, last} of ports) {
		for (let start = first; start <= last; start += PIECE) {
			cut.push({first: start, last: Math.min(last, start + PIECE - 1)});
		}
	}

	// Many short ranges in one request: a question and an answer for each would take longer than they do.
	return cut.length > 64 ? [cut] : cut.map((piece) => [piece]);
}
