import {hasNft} from '../host/netfilter/nftables.ts';
import {groupBy} from '../lib/group-by.ts';
import {countPorts, subtractRanges} from '../lib/port-ranges.ts';
import {perProtocol} from '../policy/services.ts';
import {edgesOf, fillStretches} from '../ruleset/evaluate-ports.ts';
import {installSynMaker} from '../testbed/syn.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {
	installCounters,
	NO_PORTS,
	NOTHING_SENT,
	type Ports,
	readPortsBySource,
	readSentOnBySource,
	resetCounters,
	stopDropping,
} from './count-nft.ts';
import type {SampledSource} from './divide-sources.ts';
import {SENDING_ORDER, TRIES} from './port-pieces.ts';
import {notArrived, type Observation, type Progress, sweep, withSent} from './sweep.ts';

/** Sources that are tried without nft(8), where each takes programs of its own. */
const MOST_WITHOUT_NFT = 64;

/** What packets to the edges of the rules have shown. */
export type Samples = {
	readonly observations: readonly Observation[];
	readonly probes: number;
	/** How many sources were left out, for want of nft(8). */
	readonly leftOut: number;
};

type SampleOptions = {
	readonly ingress: boolean;
	readonly onProgress?: (progress: Progress) => void;
};

/**
 * Sends a packet to the first and the last port of each range that the rules treat alike, from each
 * source. The ports in between count as their edges do.
 * @throws {HostError} when packets do not arrive: then nothing is known
 */
export async function sampleSources(
	testbed: Testbed,
	sampled: readonly SampledSource[],
	{ingress, onProgress = () => {}}: SampleOptions,
): Promise<Samples> {
	const used = hasNft() ? sampled : sampled.slice(0, MOST_WITHOUT_NFT);
	const total = probesOf(used);
	let sent = 0;
	const onSent = (count: number) => {
		sent += count;
		onProgress({sent, total});
	};
	const observations: Observation[] = [];
	if (used.length > 0) {
		await testbed.addVantagePoints(
			used.map(({vantagePoint}) => vantagePoint),
			'many',
		);
	}

	if (hasNft() && used.length > 0) {
		await installCounters(
			testbed.machine,
			[...new Set(used.map(({vantagePoint}) => vantagePoint.inInterface))],
			true,
		);
		await installSynMaker(testbed.outside);
		for (const batch of batchesOf(used)) {
			await resetCounters(testbed.machine);
			await testbed.seedNeighbours(batch.slice(0, 1).map(({vantagePoint}) => vantagePoint));
			observations.push(...(await sampleBatch(testbed, batch, ingress)));
			onSent(probesOf(batch));
		}

		await stopDropping(testbed.machine);
		await testbed.forgetNeighbours();
	} else {
		for (const {vantagePoint, alike} of used) {
			const ports = edgesOf(alike);
			observations.push(...(await sweep(testbed, [vantagePoint], {ports, alike, ingress})));
			onSent(2 * countPorts(ports));
		}
	}

	const alikeOf = new Map(used.map(({vantagePoint, alike}) => [vantagePoint, alike]));
	return {
		observations: observations.map((seen) => {
			const alike = alikeOf.get(seen.vantagePoint as SampledSource['vantagePoint']) ?? [];
			const fill = (ports: Ports) =>
				perProtocol((protocol) => fillStretches(alike, ports[protocol]));
			const {passed, forwarded} = seen;
			return {
				...{...seen, passed: fill(passed)},
				...(forwarded ? {forwarded: fill(forwarded)} : {}),
			};
		}),
		probes: total,
		leftOut: sampled.length - used.length,
	};
}

/** How many packets these sources need. */
export function probesOf(sampled: readonly SampledSource[]): number {
	return sampled.reduce((sum, {alike}) => sum + 2 * countPorts(edgesOf(alike)), 0);
}

/**
 * The kernel begins anew at the first element for each message of a list (nft_rhash_walk), so that a set takes four
 * times as long to read where it is twice as large.
 */
const MOST_OF_BATCH = 8192;

/** Sources of one interface and family, so few that the sets with their packets are read quickly. */
function batchesOf(sampled: readonly SampledSource[]): ReadonlyArray<readonly SampledSource[]> {
	const byLink = groupBy(
		sampled,
		({vantagePoint: {family, inInterface}}) => `${family} ${inInterface}`,
	);
	return byLink.flatMap((group) => {
		const batches: SampledSource[][] = [];
		let room = 0;
		for (const one of group) {
			const probes = probesOf([one]);
			if (probes > room) {
				batches.push([]);
				room = MOST_OF_BATCH;
			}

			batches.at(-1)?.push(one);
			room -= probes;
		}

		return batches;
	});
}

type Missing = {readonly source: string; readonly ports: Ports};

async function sampleBatch(
	testbed: Testbed,
	batch: readonly SampledSource[],
	ingress: boolean,
): Promise<readonly Observation[]> {
	const [first] = batch;
	if (first === undefined) {
		return [];
	}

	const {machine, senders} = testbed;
	const {family} = first.vantagePoint;
	const target = testbed.targetFor(first.vantagePoint);
	let missing: readonly Missing[] = batch.map(({vantagePoint: {source}, alike}) => {
		const edges = edgesOf(alike);
		return {source, ports: {tcp: edges, udp: edges}};
	});
	for (let tries = 0; missing.length > 0; tries += 1) {
		const before = sizeOf(missing);
		if (tries === TRIES) {
			throw notArrived(before, first.vantagePoint);
		}

		for (const protocol of SENDING_ORDER) {
			await senders[family].run('sweepSources', {
				...{protocol: protocol === 'tcp' ? 'syn' : protocol, target},
				sources: missing.map(({source, ports}) => ({source, ports: ports[protocol]})),
			});
		}

		const arrived = await readPortsBySource(machine, 'arrived', family);
		missing = missing
			.map(({source, ports}) => ({source, ports: without(ports, arrived.get(source))}))
			.filter((one) => sizeOf([one]) > 0);
		// A chain at ingress drops all packets of a port: sent again, none of them arrives.
		if (ingress && tries > 0 && sizeOf(missing) === before) {
			break;
		}
	}

	const passed = await readPortsBySource(machine, 'passed', family);
	const sent = (await readSentOnBySource(machine))[family];
	return batch.map(({vantagePoint}) =>
		withSent(
			{vantagePoint, passed: passed.get(vantagePoint.source) ?? NO_PORTS},
			sent.get(vantagePoint.source) ?? NOTHING_SENT,
		),
	);
}

function without(ports: Ports, others: Ports = NO_PORTS): Ports {
	return perProtocol((protocol) => subtractRanges(ports[protocol], others[protocol]));
}

function sizeOf(missing: readonly Missing[]): number {
	return missing.reduce((sum, {ports}) => sum + countPorts([...ports.tcp, ...ports.udp]), 0);
}
