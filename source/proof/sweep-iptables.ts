import {countPorts, intersectRanges, joinRanges, type PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';
import type {VantagePoint} from '../ruleset/evaluate-ports.ts';
import type {Testbed} from '../testbed/testbed.ts';
import {countWithIptables, type IptablesCounts} from './count-iptables.ts';
import type {Ports} from './count-nft.ts';

/** Ports of a protocol that are counted together. */
type Group = PortRange & {readonly protocol: Protocol};

/** A group of which some pass and some do not is looked at anew in so many parts. */
const PARTS = 16;
/** Packets that got lost on the way are sent again, so often at most. */
const TRIES = 4;

/**
 * What passes from a vantage, where there is no nft(8): by the counters of rules, one before all others
 * and one behind those of the filter table, for each stretch of ports that the rules treat alike. What
 * passes in part is taken apart until each part passes or does not.
 * @param send sends a packet to each of these ports
 * @returns the ports that passed, or how many packets did not arrive
 */
export async function sweepWithIptables(
	testbed: Testbed,
	{family, inInterface}: VantagePoint,
	ports: readonly PortRange[],
	alike: readonly PortRange[],
	send: (protocol: Protocol, ports: readonly PortRange[]) => Promise<void>,
): Promise<Ports | number> {
	const passed: Record<Protocol, PortRange[]> = {tcp: [], udp: []};
	const cut = alike.flatMap((stretch) => intersectRanges(ports, [stretch]));
	let groups: readonly Group[] = (['udp', 'tcp'] as const).flatMap((protocol) =>
		cut.map((range) => ({...range, protocol})),
	);
	for (let lost = 0; groups.length > 0; ) {
		const counts = await countWithIptables(
			testbed.machine,
			family,
			[
				...groups.map((group) => arrivalOf(group, inInterface)),
				...groups.map((group) => passageOf(group, inInterface)),
			],
			async () => {
				for (const protocol of ['udp', 'tcp'] as const) {
					const own = groups.filter((group) => group.protocol === protocol);
					await send(protocol, joinRanges(own));
				}
			},
			{swallow: true},
		);
		const next: Group[] = [];
		let missing = 0;
		for (const [index, group] of groups.entries()) {
			const [arrived = 0, through = 0] = [counts[index], counts[groups.length + index]];
			if (arrived < countPorts([group])) {
				missing += countPorts([group]) - arrived;
				next.push(group);
			} else if (through === 0) {
				// All of it is shut.
			} else if (through >= arrived || group.first === group.last) {
				passed[group.protocol].push(group);
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

	return {tcp: joinRanges(passed.tcp), udp: joinRanges(passed.udp)};
}

function arrivalOf({protocol, first, last}: Group, inInterface: string): IptablesCounts {
	const match = `-i ${inInterface} -p ${protocol} --dport ${first}:${last}`;
	return {table: 'raw', chain: 'PREROUTING', match};
}

/** By the port that a packet went to, before a redirection (nat) sent it to another. */
function passageOf({protocol, first, last}: Group, inInterface: string): IptablesCounts {
	const match = `-i ${inInterface} -p ${protocol} -m conntrack --ctorigdstport ${first}:${last}`;
	return {table: 'security', chain: 'INPUT', match};
}

function divide({protocol, first, last}: Group): readonly Group[] {
	const size = Math.ceil((last - first + 1) / PARTS);
	return Array.from({length: Math.ceil((last - first + 1) / size)}, (_, index) => ({
		protocol,
		first: first + index * size,
		last: Math.min(last, first + (index + 1) * size - 1),
	}));
}
