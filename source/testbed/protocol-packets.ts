import {firstLine} from '../host/exec/run.ts';
import {hasNft} from '../host/netfilter/nftables.ts';
import type {Namespace} from '../host/netns.ts';
import type {Family} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {SCTP} from '../policy/ip-protocols.ts';

/**
 * Only a raw socket can send packets of other protocols than TCP and UDP, and Node has no raw sockets.
 * So the sender writes datagrams, and its kernel replaces the protocol number as they leave.
 */

/** Datagrams from this port become packets of the protocol whose number is their destination port. */
export const PROTOCOL_PORT = 40_407;
/** Datagrams from this port become SCTP, with the same ports. Their data is the rest of an INIT. */
export const SCTP_PORT = 40_408;

const TABLE = 'fw_wizard_protocols';

/**
 * How many rules are loaded at once. An ordinary user's netlink message has at most net.core.wmem_max
 * bytes, 212,992 by default (netlink(7)); a rule has some 600.
 */
const BATCH = 200;

/** The protocols of each family of which packets are made. */
type ProtocolNumbers = Readonly<Record<Family, readonly number[]>>;

/** The type and the code of ICMP and ICMPv6 stand where UDP has its source port (RFC 792, RFC 4443). */
const ECHO_REQUEST: Readonly<Record<number, string>> = {
	1: ' @th,0,16 set 0x0800',
	58: ' @th,0,16 set 0x8000',
};

/**
 * Makes the kernel of a namespace of our own turn datagrams into packets of other protocols.
 * @returns why it cannot be done; undefined where it was done
 */
export async function installProtocolMaker(
	outside: Namespace,
	numbers: ProtocolNumbers,
): Promise<string | undefined> {
	if (!hasNft()) {
		return 'nft is not installed';
	}

	const set = (family: Family, number: number) =>
		`${family === 4 ? 'ip protocol' : 'ip6 nexthdr'} set ${number}`;
	const from = (family: Family, port: number) => `meta nfproto ipv${family} udp sport ${port}`;
	const rules = ([4, 6] as const).flatMap((family) => [
		// The verification tag of an INIT is 0. It stands where UDP has its length and its checksum, and is
		// written last, since the kernel updates the checksum when the protocol changes.
		`${from(family, SCTP_PORT)} ${set(family, SCTP)} @th,32,32 set 0`,
		...numbers[family].map(
			(number) =>
				`${from(family, PROTOCOL_PORT)} udp dport ${number} ${set(family, number)}${ECHO_REQUEST[number] ?? ''}`,
		),
	]);
	const batches = [
		[
			`add table inet ${TABLE}`,
			`delete table inet ${TABLE}`,
			`table inet ${TABLE} { chain out { type filter hook output priority 0; }; }`,
		],
		...Array.from({length: Math.ceil(rules.length / BATCH)}, (_, index) =>
			rules
				.slice(index * BATCH, (index + 1) * BATCH)
				.map((rule) => `add rule inet ${TABLE} out ${rule}`),
		),
	];
	for (const lines of batches) {
		const failure = await load(outside, lines);
		if (failure !== undefined) {
			return failure;
		}
	}

	return undefined;
}

/**
 * Adds a table of our own to the machine's namespace, with sets of the protocols, and ports of SCTP, of
 * packets that arrive before all rules and that pass all of them. What has passed is dropped.
 * @param interfaces that the packets come in on
 * @returns why it cannot be done; undefined where it was done
 */
export async function installProtocolCounters(
	machine: Namespace,
	interfaces: readonly string[],
): Promise<string | undefined> {
	const from = `iifname { ${interfaces.map((name) => `"${name}"`).join(', ')} }`;
	// Reports of multicast groups, which the kernel itself sends, are not meant.
	const packets = (family: Family) =>
		`${from} meta nfproto ipv${family} ${family === 4 ? 'ip daddr != 224.0.0.0/4' : 'ip6 daddr != ff00::/8'}`;
	const groups = (family: Family) =>
		`${from} meta nfproto ipv${family} ${family === 4 ? 'ip daddr 224.0.0.0/4' : 'ip6 daddr ff00::/8'}`;
	const into = (what: string, end: string) =>
		([4, 6] as const).flatMap((family) => [
			`${groups(family)} update @${what}_groups${family} { meta l4proto . ${family === 4 ? 'ip' : 'ip6'} daddr };`,
			`${packets(family)} meta l4proto ${SCTP} update @${what}_sctp${family} { th dport } ${end};`,
			`${packets(family)} meta l4proto != { ${family === 4 ? 1 : 58}, 6, 17, ${SCTP} } update @${what}${family} { meta l4proto } ${end};`,
		]);
	const sets = (['arrived', 'passed'] as const).flatMap((what) =>
		([4, 6] as const).flatMap((family) => [
			`set ${what}${family} { type inet_proto; size 256; flags dynamic; }`,
			`set ${what}_groups${family} { type inet_proto . ipv${family}_addr; size 256; flags dynamic; }`,
			`set ${what}_sctp${family} { type inet_service; size 65536; flags dynamic; }`,
		]),
	);
	return load(machine, [
		`add table inet ${TABLE}`,
		`delete table inet ${TABLE}`,
		`table inet ${TABLE} {`,
		...sets,
		`chain arrived { type filter hook prerouting priority raw - 11; ${into('arrived', '').join(' ')} }`,
		// After every other filter, and before conntrack confirms: NF_IP_PRI_CONNTRACK_CONFIRM is INT_MAX.
		`chain passed { type filter hook input priority 2147483646; ${into('passed', 'drop').join(' ')} }`,
		'}',
	]);
}

/** The protocols, and the ports of SCTP, of packets of a family. */
export type SeenProtocols = {
	readonly numbers: ReadonlySet<number>;
	readonly sctpPorts: ReadonlySet<number>;
	/** The protocol and the multicast group: `112 224.0.0.18`. */
	readonly groups: ReadonlySet<string>;
};

/** Reads the sets. */
export async function readProtocols(
	machine: Namespace,
	what: 'arrived' | 'passed',
	family: Family,
): Promise<SeenProtocols> {
	const [numbers = [], sctpPorts = [], groups = []] = await Promise.all(
		[`${what}${family}`, `${what}_sctp${family}`, `${what}_groups${family}`].map(async (name) => {
			const {stdout} = await machine.run('nft', ['-n', 'list', 'set', 'inet', TABLE, name]);
			const elements = /elements = \{([^}]*)\}/.exec(stdout)?.[1] ?? '';
			return elements.split(',').map((element) => element.trim());
		}),
	);
	return {
		numbers: new Set(numbers.map(Number)),
		sctpPorts: new Set(sctpPorts.map(Number)),
		groups: new Set(groups.map((element) => element.replace(' . ', ' '))),
	};
}

/** Empties the sets. */
export async function resetProtocolCounters(machine: Namespace): Promise<void> {
	await load(
		machine,
		['', '_sctp', '_groups'].flatMap((part) =>
			['arrived', 'passed'].flatMap((what) =>
				[4, 6].map((family) => `flush set inet ${TABLE} ${what}${part}${family}`),
			),
		),
	);
}

/** Removes the tables of our own from both namespaces. */
export async function removeProtocolTables(...namespaces: readonly Namespace[]): Promise<void> {
	for (const namespace of namespaces) {
		await load(namespace, [`add table inet ${TABLE}`, `delete table inet ${TABLE}`]);
	}
}

async function load(namespace: Namespace, lines: readonly string[]): Promise<string | undefined> {
	const {status, stderr} = await namespace.run('nft', ['-f', '-'], {
		input: `${lines.join('\n')}\n`,
	});
	return status === 0 ? undefined : printable(firstLine(stderr), 120);
}
