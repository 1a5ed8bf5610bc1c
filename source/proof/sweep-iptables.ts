import {countPorts, intersectRanges, joinRanges, type PortRange} from '../lib/port-ranges.ts';
import {type Protocol, perProtocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {Testbed} from '../testbed/testbed.ts';
import type {SeenPorts} from './compare-ports.ts';
import {type CountingRule, countWithIptables, originalMatch} from './count-iptables.ts';
import type {Ports} from './count-nft.ts';
import {SENDING_ORDER, TRIES} from './port-pieces.ts';

/** Ports of a protocol that are counted together. */
type Group = PortRange & {readonly protocol: Protocol};

/** A group of which only a part passes is divided into this many groups. */
const PARTS = 16;

/**
 * Finds the ports that packets of a vantage point pass to, on machines without nft(8). Three rules count
 * for each stretch of ports that the rules treat alike: one before all other rules, and after those of the
 * filter table one for this machine and one for what is forwarded. A stretch of which only a part passes is
 * divided until every part passes or does not.
 * @param send sends one packet to each of the given ports
 * @returns the ports that passed and those that were forwarded, or how many packets did not arrive
 */
export async function sweepWithIptables(
	testbed: Testbed,
	vantagePoint: VantagePoint,
	ports: readonly PortRange[],
	alike: readonly PortRange[],
	send: (protocol: Protocol, ports: readonly PortRange[]) => Promise<void>,
): Promise<Omit<SeenPorts, 'expected'> | number> {
	const passed: Record<Protocol, PortRange[]> = {tcp: [], udp: []};
	const forwarded: Record<Protocol, PortRange[]> = {tcp: [], udp: []};
	const cut = alike.flatMap((stretch) => intersectRanges(ports, [stretch]));
	let groups: readonly Group[] = SENDING_ORDER.flatMap((protocol) =>
		cut.map((range) => ({...range, protocol})),
	);
	for (let lost = 0; groups.length > 0; ) {
		const counts = await countWithIptables(
			testbed.machine,
			vantagePoint.family,
			[
				...groups.map((group) => arrivalOf(group, vantagePoint)),
				...(['INPUT', 'FORWARD'] as const).flatMap((chain) =>
					groups.map((group): CountingRule => {
						return {table: 'security', chain, match: originalMatch(group, vantagePoint)};
					}),
				),
			],
			async () => {
				for (const protocol of SENDING_ORDER) {
					const own = groups.filter((group) => group.protocol === protocol);
					await send(protocol, joinRanges(own));
				}
			},
			{drop: true},
		);
		const next: Group[] = [];
		let missing = 0;
		for (const [index, group] of groups.entries()) {
			const [arrived = 0, through = 0, elsewhere = 0] = [0, 1, 2].map(
				(kind) => counts[kind * groups.length + index],
			);
			if (arrived < countPorts([group])) {
				missing += countPorts([group]) - arrived;
				next.push(group);
			} else if (through + elsewhere === 0) {
				// No port of the group passes.
			} else if (elsewhere === 0 && (through >= arrived || group.first === group.last)) {
				passed[group.protocol].push(group);
			} else if (through === 0 && (elsewhere >= arrived || group.first === group.last)) {
				forwarded[group.protocol].push(group);
			} else {
				next.push(...divide(group));
			}
		}

		lost = missing > 0 ? lost + 1 : 0;
		if (lost === TRIES) {
			return missing;
		}

		groups = next;
	}

	const joined = (ports: Ports) => perProtocol((protocol) => joinRanges(ports[protocol]));
	return {passed: joined(passed), forwarded: joined(forwarded)};
}

function arrivalOf({protocol, first, last}: Group, {inInterface}: VantagePoint): CountingRule {
	const match = `-i ${inInterface} -p ${protocol} --dport ${first}:${last}`;
	return {table: 'raw', chain: 'PREROUTING', match};
}

function divide({protocol, first, last}: Group): readonly Group[] {
	const size = Math.ceil((last - first + 1) / PARTS);
	return Array.from({length: Math.ceil((last - first + 1) / size)}, (_, index) => ({
		protocol,
		first: first + index * size,
		last: Math.min(last, first + (index + 1) * size - 1),
	}));
}
