import {setTimeout as delay} from 'node:timers/promises';
import {firstLine} from '../host/exec/run.ts';
import type {Interface} from '../host/machine/interfaces.ts';
import {hasNft} from '../host/netfilter/nftables.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {isMulticast} from '../lib/network.ts';
import {onePort} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {PacketAnswer} from '../ruleset/explain.ts';
import type {Packet} from '../ruleset/packet.ts';
import {protocolNumberOf} from '../ruleset/protocol-names.ts';
import {hasIngress, loadAll, type RulesUnderTest} from '../testbed/load-rules.ts';
import {mirrorForwarding} from '../testbed/mirror-host.ts';
import {installProtocolMaker} from '../testbed/protocol-packets.ts';
import {copyRecentSource} from '../testbed/recent-sources.ts';
import {installSynMaker} from '../testbed/syn.ts';
import {type Testbed, withTestbed} from '../testbed/testbed.ts';
import {ip} from '../testbed/topology.ts';
import {answerFrom, type PacketFate} from './packet-answer.ts';
import {type Observed, observe} from './responsible-rule.ts';
import {ownAddresses} from './sample-addresses.ts';
import {MARKER_PORT} from './trace-nft.ts';

const TABLE = 'fw_wizard_packet';
/** The table is read until the packet has arrived. It need not where chains at ingress may drop it. */
const READS = 30;
const READS_BEHIND_INGRESS = 2;
const READ_MS = 5;

/**
 * Sends packets into a copy of this machine with the given rules, one after the other, and reads from the
 * kernel what became of each and which rules it matched: of all tables and programs.
 * @throws {HostError} where no copy can be made, it cannot load the rules, or such a packet cannot be sent
 */
export async function tryInCopy(
	packets: readonly Packet[],
	rules: RulesUnderTest,
	interfaces: readonly Interface[],
): Promise<readonly PacketAnswer[]> {
	const own = ownAddresses(interfaces);
	const points = packets.map(({family, inInterface, source, destination}): VantagePoint => {
		const isHere = destination !== undefined && own.has(destination);
		return {family, inInterface, source, ...(isHere ? {destination} : {})};
	});
	return withTestbed(
		interfaces,
		points,
		async (testbed) => {
			const routed = await mirrorForwarding(testbed.machine, interfaces, packets, rules);
			await loadAll(testbed.machine, rules.loads);
			await testbed.seedNeighbours(points);
			const answers: PacketAnswer[] = [];
			for (const [index, packet] of packets.entries()) {
				const vantagePoint = points[index] ?? packet;
				const target = packet.destination ?? testbed.targetFor(vantagePoint);
				await copyRecentSource(testbed.machine, rules, packet.source);
				const {observed, fate} = await follow(testbed, rules, vantagePoint, packet, target);
				answers.push(answerFrom(packet, target, observed, {...fate, routed}));
			}

			return answers;
		},
		{beyond: false},
	);
}

/** Why such a packet cannot be sent into a copy; undefined where it can. */
export function obstacleTo(
	{source, inInterface, destination}: Packet,
	interfaces: readonly Interface[],
): string | undefined {
	return !hasNft()
		? 'nft is not installed'
		: ownAddresses(interfaces).has(source) || inInterface === 'lo'
			? 'packets that this machine sends to itself are not tried'
			: destination !== undefined && isMulticast(destination)
				? 'packets to multicast groups are not tried'
				: undefined;
}

/** Sends one packet, once. */
async function follow(
	testbed: Testbed,
	rules: RulesUnderTest,
	vantagePoint: VantagePoint,
	packet: Packet,
	target: string,
): Promise<{readonly observed: Observed; readonly fate: PacketFate}> {
	const {machine, outside} = testbed;
	const {outside: wire, ethernet} = testbed.linkTo(vantagePoint);
	await ip(outside, [
		`route replace ${target} dev ${wire}`,
		`neigh replace ${target} lladdr ${ethernet.machine} dev ${wire} nud permanent`,
	]);
	const only = matchOf(packet);
	await watch(machine, packet, target, only);
	const send = await prepare(testbed, packet, target, wire);
	const observed = await observe(testbed, rules, {vantagePoint, only}, async () => {
		await send();
		const most = hasIngress(rules) ? READS_BEHIND_INGRESS : READS;
		for (let reads = 0; reads < most && !(await readFate(machine)).arrived; reads += 1) {
			await delay(READ_MS);
		}
	});
	return {observed, fate: await readFate(machine)};
}

/** What tells the packet from others, in the words of nft(8). */
function matchOf({protocol, destinationPort}: Packet): string {
	return destinationPort !== undefined
		? `${protocol} dport ${destinationPort}`
		: protocol === 'icmp'
			? 'icmp type echo-request'
			: protocol === 'ipv6-icmp'
				? 'icmpv6 type echo-request'
				: `meta l4proto ${protocolNumberOf(protocol)}`;
}

/** Adds a table that lets no other packet in, and notes where this one comes through, after all rules. */
async function watch(
	machine: Namespace,
	{family, inInterface, source}: Packet,
	target: string,
	only: string,
): Promise<void> {
	const header = family === 4 ? 'ip' : 'ip6';
	const set = `{ type ipv${family}_addr . inet_service; size 64; flags dynamic; }`;
	const note = (name: string) =>
		`iifname "${inInterface}" update @${name} { ${header} daddr . th dport } drop;`;
	const {status, stderr} = await machine.run('nft', ['-f', '-'], {
		input: [
			`add table inet ${TABLE}`,
			`delete table inet ${TABLE}`,
			`table inet ${TABLE} {`,
			`set passed ${set}`,
			`set forwarded ${set}`,
			'chain arrived { type filter hook prerouting priority -2147483647;',
			`${header} saddr ${source} ${header} daddr ${target} ${only} counter accept;`,
			`udp sport ${MARKER_PORT} accept; iifname "${inInterface}" drop; }`,
			`chain passed { type filter hook input priority 2147483645; ${note('passed')} }`,
			`chain forwarded { type filter hook forward priority 2147483645; ${note('forwarded')} }`,
			'}\n',
		].join('\n'),
	});
	if (status !== 0) {
		throw new HostError(
			`the packet cannot be watched here: ${printable(firstLine(stderr), 120)}`,
			'See whether nft works here',
		);
	}
}

/** Makes ready to send the packet, once. */
async function prepare(
	{outside, senders}: Testbed,
	{family, protocol, source, sourcePort, destinationPort}: Packet,
	target: string,
	wire: string,
): Promise<() => Promise<void>> {
	const number = protocolNumberOf(protocol) ?? 0;
	const port = destinationPort ?? number;
	const failure =
		protocol === 'tcp'
			? await installSynMaker(outside)
			: protocol === 'udp'
				? undefined
				: await installProtocolMaker(outside, {4: [number], 6: [number]});
	if (failure !== undefined) {
		throw new HostError(`such a packet cannot be made here: ${failure}`, 'Install nftables');
	}

	const how = {tcp: 'syn', udp: 'udp', sctp: 'sctp'} as const;
	const scoped = (address: string) => (/^fe[89ab]/.test(address) ? `${address}%${wire}` : address);
	return async () =>
		senders[family].run('sweep', {
			protocol: protocol in how ? how[protocol as keyof typeof how] : 'other',
			source: scoped(source),
			...(sourcePort === undefined ? {} : {sourcePort}),
			target: scoped(target),
			ports: [onePort(port)],
		});
}

async function readFate(machine: Namespace): Promise<PacketFate> {
	const {stdout} = await machine.run('nft', ['-n', 'list', 'table', 'inet', TABLE]);
	const elementOf = (name: string) =>
		new RegExp(`set ${name} \\{[^}]*elements = \\{ (\\S+) \\. (\\d+)`)
			.exec(stdout)
			?.slice(1, 3)
			.join(' ');
	return {
		arrived: /counter packets [1-9]/.test(stdout),
		passed: elementOf('passed'),
		forwarded: elementOf('forwarded'),
	};
}
