import {writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import type {Family} from '../../source/lib/network.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import {buildFrame, FRAME_LENGTH, hardwareText, type Shot, TARGET_HARDWARE} from './ethernet.ts';
import {INTERFACES, JOINED, OWN} from './wire.ts';

/** What became of packets in the kernel. */
export type Outcome = {
	/** Which came as far as INPUT, and which came through it, by their place in the list. */
	readonly arrived: readonly number[];
	readonly passed: readonly number[];
};

export type Range = {
	readonly target: Host;
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

/**
 * A target with several interfaces, and a probe that puts any frame on their wires. Nothing else
 * ever speaks to the target, so that its counters count only what was sent.
 */
export async function openRange(lab: Lab, backend: Backend): Promise<Range> {
	const [target, probe] = [await lab.host({backend}), await lab.host()];
	// Packets from anywhere are to reach the filter, which is what is tested.
	await target.sysctl({'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0});
	await probe.sysctl({'net.ipv6.conf.default.disable_ipv6': 1});
	for (const device of INTERFACES) {
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
	return {
		target,
		fire: async (shots) => fire(target, probe, shots),
		counters: async (family, chain) => counters(target, family, chain),
	};
}

async function fire(target: Host, probe: Host, shots: readonly Shot[]): Promise<Outcome> {
	const forget = ['arrived', 'passed'].map((set) => `flush set inet witness ${set}\n`);
	await target.must('nft', ['-f', '-'], {input: forget.join('')});
	await target.must('conntrack', ['-F']);
	await target.must('sh', ['-e'], {input: shots.flatMap(knownConnection).join('\n')});
	for (const device of INTERFACES) {
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
