import {writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {FAMILIES, type Family} from '../../source/lib/network.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import {buildFrame, FRAME_LENGTH, hardwareText, type Shot, TARGET_HARDWARE} from './ethernet.ts';
import {INTERFACES, JOINED, OWN} from './wire.ts';

/** What became of packets in the kernel. */
type Outcome = {
	/** Which came as far as INPUT or FORWARD, and which came through it, by their place in the list. */
	readonly arrived: readonly number[];
	readonly passed: readonly number[];
};

/** A container behind a bridge of the target, whose port 80 is published as each port that four divides. */
export const CONTAINER = {4: '172.17.0.2', 6: 'fd00:d0c::2'} as const;
export const BRIDGE = 'docker0';

export type Range = {
	readonly target: Host;
	readonly interfaces: readonly string[];
	/** Sends the packets, in order on each interface, and reads from the kernel what became of them. */
	readonly fire: (shots: readonly Shot[]) => Promise<Outcome>;
	/** How many packets each rule of a chain has decided, first rule first. */
	readonly counters: (family: Family, chain: string) => Promise<readonly number[]>;
};

/**
 * Sees the packets just before the filter table's INPUT and just after it, in both backends. What
 * the target answers is of no interest here, and errors about it would come back to INPUT.
 */
const WITNESS = `
table inet witness {
	set arrived { type ether_addr; size 65536; flags dynamic; }
	set passed { type ether_addr; size 65536; flags dynamic; }
	chain before {
		type filter hook input priority filter - 10; policy accept;
		update @arrived { ether saddr }
	}
	chain after {
		type filter hook input priority filter + 10; policy accept;
		update @passed { ether saddr }
	}
	chain silent {
		type filter hook output priority 300; policy drop;
	}
}
`;

/** In mangle, where our rules for published ports are; and the resets that the target sends. */
const PUBLISHED = `
table inet witness {
	set resets4 { type ipv4_addr . inet_service . inet_service; size 65536; flags dynamic; }
	set resets6 { type ipv6_addr . inet_service . inet_service; size 65536; flags dynamic; }
	chain published {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr ${OWN[4]} meta l4proto { tcp, udp } th dport & 3 == 0 dnat ip to ${CONTAINER[4]}:80
		ip6 daddr ${OWN[6]} meta l4proto { tcp, udp } th dport & 3 == 0 dnat ip6 to [${CONTAINER[6]}]:80
	}
	chain before_forward {
		type filter hook forward priority mangle - 10; policy accept;
		update @arrived { ether saddr }
	}
	chain after_forward {
		type filter hook forward priority mangle + 10; policy accept;
		update @passed { ether saddr }
	}
	chain resets {
		type filter hook output priority 290; policy accept;
		tcp flags & rst == rst update @resets4 { ip daddr . tcp sport . tcp dport }
		tcp flags & rst == rst update @resets6 { ip6 daddr . tcp sport . tcp dport }
	}
}
`;

/**
 * A target with several interfaces, and a probe that puts any frame on their wires. Nothing else
 * ever speaks to the target, so that its counters count only what was sent.
 */
export async function openRange(
	lab: Lab,
	backend: Backend,
	{publishes = false} = {},
): Promise<Range> {
	const interfaces = publishes ? [...INTERFACES, BRIDGE] : INTERFACES;
	const [target, probe] = [await lab.host({backend}), await lab.host()];
	// Packets from anywhere are to reach the filter, which is what is tested.
	await target.sysctl({'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0});
	await probe.sysctl({'net.ipv6.conf.default.disable_ipv6': 1});
	for (const device of interfaces) {
		await lab.join({host: target, device, addresses: []}, {host: probe, device, addresses: []});
		await probe.ip([`link set ${device} arp off`]);
		await target.ip([
			`link set ${device} down`,
			`link set ${device} address ${TARGET_HARDWARE} addrgenmode none`,
			`link set ${device} up`,
			`address add ${OWN.link}/64 dev ${device} nodad`,
			...JOINED.map((cidr) => `address add ${cidr} dev ${device} autojoin nodad`),
		]);
	}

	await target.ip([
		`address add ${OWN[4]}/24 dev ${INTERFACES[0]}`,
		`address add ${OWN[6]}/64 dev ${INTERFACES[0]} nodad`,
	]);
	await target.must('nft', ['-f', '-'], {input: WITNESS});
	if (publishes) {
		await target.sysctl({'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1});
		await target.ip(
			FAMILIES.flatMap((family) => [
				`route add ${CONTAINER[family]} dev ${BRIDGE}`,
				`neighbour add ${CONTAINER[family]} lladdr 02:42:00:00:00:02 dev ${BRIDGE}`,
			]),
		);
		await target.must('nft', ['-f', '-'], {input: PUBLISHED});
	}

	return {
		target,
		interfaces,
		fire: async (shots) => fire(target, probe, interfaces, shots),
		counters: async (family, chain) => counters(target, family, chain),
	};
}

async function fire(
	target: Host,
	probe: Host,
	interfaces: readonly string[],
	shots: readonly Shot[],
): Promise<Outcome> {
	const forget = ['arrived', 'passed'].map((set) => `flush set inet witness ${set}\n`);
	await target.must('nft', ['-f', '-'], {input: forget.join('')});
	await target.must('conntrack', ['-F']);
	await target.must('sh', ['-e'], {input: shots.flatMap(knownConnection).join('\n')});
	for (const device of interfaces) {
		const frames = shots.flatMap((shot, id) =>
			shot.packet.inInterface === device ? [buildFrame(shot, id)] : [],
		);
		const file = path.join(probe.folder, 'frames');
		writeFileSync(file, Buffer.concat(frames));
		// A block of the file is a frame on the wire.
		await probe.must('socat', [
			...['-u', '-b', `${FRAME_LENGTH}`],
			...[`OPEN:${file}`, `INTERFACE:${device}`],
		]);
	}

	const deadline = Date.now() + 2000;
	let arrived = await readSet(target, 'arrived', shots.length);
	while (arrived.length < shots.length && Date.now() < deadline) {
		arrived = await readSet(target, 'arrived', shots.length);
	}

	return {arrived, passed: await readSet(target, 'passed', shots.length)};
}

/** The command that makes known the connection that a packet belongs to, or is about. */
function knownConnection({packet, about}: Shot): readonly string[] {
	const {source, destination, state} = packet;
	const ports = about ?? {sourcePort: packet.destinationPort, destinationPort: packet.sourcePort};
	return state === 'ESTABLISHED' || state === 'RELATED'
		? [
				`conntrack -I -p udp -s ${destination} -d ${source} --sport ${ports.sourcePort} ` +
					`--dport ${ports.destinationPort} -t 60 -u SEEN_REPLY 2>&1`,
			]
		: [];
}

async function readSet(target: Host, name: string, count: number): Promise<readonly number[]> {
	const text = await target.must('nft', ['list', 'set', 'inet', 'witness', name]);
	const seen = new Set(text.match(/(?:[\da-f]{2}:){5}[\da-f]{2}/g));
	return Array.from({length: count}, (_, id) => id).filter((id) => seen.has(hardwareText(id)));
}

async function counters(host: Host, family: Family, chain: string): Promise<readonly number[]> {
	const program = family === 4 ? 'iptables-save' : 'ip6tables-save';
	const text = await host.must(program, ['-c', '-t', 'filter']);
	return [...text.matchAll(new RegExp(`^\\[(\\d+):\\d+\\] -A ${chain} `, 'gm'))].map(([, count]) =>
		Number(count),
	);
}
