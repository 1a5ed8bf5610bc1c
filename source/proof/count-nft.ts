import {firstLine} from '../host/exec/run.ts';
import type {Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {FAMILIES, type Family, normalizeAddress} from '../lib/network.ts';
import {joinRanges, onePort, type PortRange} from '../lib/port-ranges.ts';
import {printable} from '../lib/printable.ts';
import type {Protocol} from '../policy/services.ts';

/** Ports of each protocol, as ranges in ascending order. */
export type Ports = Readonly<Record<Protocol, readonly PortRange[]>>;

export const NO_PORTS: Ports = {tcp: [], udp: []};

/** A port whose packets DNAT sends to a container, to another machine, or to another port of this one. */
export type Forwarded = {
	readonly protocol: Protocol;
	readonly port: number;
	/** The new destination: `172.17.0.2:80`, `[fd00::2]:80`. */
	readonly to: string;
	/** The new destination is an address of this machine, so that the packets still pass INPUT. */
	readonly here: boolean;
};

/** What became of packets that did not stay what they were. */
export type SentOn = {
	/** Those that all rules let through. */
	readonly forwarded: readonly Forwarded[];
	/** Those that DNAT sends to a container or another machine, whether rules let them through or not. */
	readonly published: readonly Forwarded[];
};

const TABLE = 'fw_wizard_proof';
/** A table for each large set, and for what is read often: whatever nft reads of a table, it reads all of its sets. */
const tableOf = (what: 'arrived' | 'passed', family: Family) => `${TABLE}_${what}${family}`;
const LARGE = FAMILIES.flatMap((family) => [tableOf('arrived', family), tableOf('passed', family)]);
const COUNTS = `${TABLE}_counts`;
/** Small, and read as a whole. */
const SENT = `${TABLE}_sent`;
const SENT_SETS = ['forwarded', 'redirected', 'published'] as const;
/**
 * Marks a packet from the chain that enters its port into a set for the first time to the chain that
 * counts such packets and removes the mark.
 */
const MARK = '0x66777770';
const NUMBERS = {tcp: 6, udp: 17} as const;
/** Elements of a set that keeps sources apart. */
const MOST_BY_SOURCE = 524_288;
/** Before every other chain: the lowest priority is NF_IP_PRI_FIRST, INT_MIN (linux/netfilter_ipv4.h). */
const FIRST = -2_147_483_647;

/**
 * Adds a table of our own to a namespace of our own. It collects in sets the ports that packets arrive at,
 * before all rules, and the ports that they pass to, after all rules.
 * @param interfaces that the packets come in on
 * @param bySource whether the ports of each source are collected apart
 * @throws {HostError} where the kernel or nft(8) cannot do it
 */
export async function installCounters(
	machine: Namespace,
	interfaces: readonly string[],
	bySource = false,
): Promise<void> {
	const set = (name: string, family: Family, more = '') =>
		`set ${name}${family} { type ${bySource ? `ipv${family}_addr . ` : ''}inet_proto . inet_service${more}; size ${bySource ? MOST_BY_SOURCE : 262_144}; flags dynamic; }`;
	const from = `iifname { ${interfaces.map((name) => `"${name}"`).join(', ')} }`;
	const address = (family: Family) => (family === 4 ? 'ip' : 'ip6');
	const sender = (family: Family) => (bySource ? `${address(family)} saddr . ` : '');
	const port = (family: Family) => `${sender(family)}meta l4proto . th dport`;
	const asked = (family: Family) => `${sender(family)}meta l4proto . ct original proto-dst`;
	const route = (family: Family) => `${asked(family)} . ${address(family)} daddr . th dport`;
	const packetsOf = (family: Family) =>
		`${from} meta nfproto ipv${family} meta l4proto { tcp, udp }`;
	const each = (rules: (family: Family, packets: string) => string) =>
		FAMILIES.map((family) => rules(family, packetsOf(family))).join(' ');
	await nft(machine, [
		...[TABLE, ...LARGE, COUNTS, SENT].flatMap((name) => [
			`add table inet ${name}`,
			`delete table inet ${name}`,
		]),
		...FAMILIES.flatMap((family) => {
			const packets = packetsOf(family);
			return [
				`table inet ${tableOf('arrived', family)} {`,
				set('arrived', family),
				`chain arrived { type filter hook prerouting priority ${FIRST}; ${packets} ${port(family)} != @arrived${family} update @arrived${family} { ${port(family)} } meta mark set ${MARK}; }`,
				'}',
				`table inet ${tableOf('passed', family)} {`,
				set('passed', family),
				// The port that a packet was sent to, before a redirection (nat) changed it. After every other
				// filter, and before conntrack confirms: NF_IP_PRI_CONNTRACK_CONFIRM is INT_MAX.
				`chain passed { type filter hook input priority 2147483645; ${packets} ct state { invalid, untracked } update @passed${family} { ${port(family)} }; ${packets} ct state != { invalid, untracked } update @passed${family} { ${asked(family)} }; }`,
				'}',
			];
		}),
		`table inet ${TABLE} {`,
		// A packet that has passed is dropped, so that no answers are sent and conntrack's table stays small.
		`chain drop_passed { type filter hook input priority 2147483646; ${each((_, packets) => `${packets} drop;`)} }`,
		'}',
		`table inet ${SENT} {`,
		...FAMILIES.flatMap((family) =>
			SENT_SETS.map((name) => set(name, family, ` . ipv${family}_addr . inet_service`)),
		),
		`chain redirected { type filter hook input priority 2147483645; ${each((family, packets) => `${packets} ct status dnat update @redirected${family} { ${route(family)} };`)} }`,
		// Before the mangle table, where rules may drop the packet: NF_IP_PRI_MANGLE is -150.
		`chain published { type filter hook forward priority -151; ${each((family, packets) => `${packets} ct status dnat update @published${family} { ${route(family)} };`)} }`,
		// The destination of a packet that is not for this machine, after the same filters as above.
		`chain forwarded { type filter hook forward priority 2147483645; ${each(
			(family, packets) =>
				`${packets} ct state != { invalid, untracked } update @forwarded${family} { ${route(family)} }; ${packets} drop;`,
		)} }`,
		'}',
		`table inet ${COUNTS} {`,
		`chain arrived { type filter hook prerouting priority ${FIRST + 1}; ${each((_, packets) => `${packets} meta mark ${MARK} counter meta mark set 0;`)} }`,
		'}',
	]);
}

/** Ends the dropping of packets that have passed: from now on they reach the machine's programs. */
export async function stopDropping(machine: Namespace): Promise<void> {
	await nft(machine, [
		`flush chain inet ${TABLE} drop_passed`,
		`delete chain inet ${TABLE} drop_passed`,
	]);
}

/** Empties the sets of the given families. */
export async function resetCounters(
	machine: Namespace,
	families: readonly Family[] = FAMILIES,
): Promise<void> {
	await nft(
		machine,
		families.flatMap((family) => [
			...(['arrived', 'passed'] as const).map(
				(what) => `flush set inet ${tableOf(what, family)} ${what}${family}`,
			),
			...SENT_SETS.map((name) => `flush set inet ${SENT} ${name}${family}`),
		]),
	);
}

/** How many ports of each family packets have arrived at, since the counters were installed. */
export async function countArrivals(machine: Namespace): Promise<Readonly<Record<Family, number>>> {
	const {stdout} = await machine.run('nft', ['list', 'chain', 'inet', COUNTS, 'arrived']);
	const [ipv4 = 0, ipv6 = 0] = [...stdout.matchAll(/packets (\d+)/g)].map(([, count]) =>
		Number(count),
	);
	return {4: ipv4, 6: ipv6};
}

/** The ports of a family that packets arrived at, or that they passed to. @throws {HostError} */
export async function readPorts(
	machine: Namespace,
	what: 'arrived' | 'passed',
	family: Family,
): Promise<Ports> {
	return (await readPortsBySource(machine, what, family)).get('') ?? NO_PORTS;
}

/** The same for each source, where the counters are by source. @throws {HostError} */
export async function readPortsBySource(
	machine: Namespace,
	what: 'arrived' | 'passed',
	family: Family,
): Promise<ReadonlyMap<string, Ports>> {
	const stdout = await list(machine, `set inet ${tableOf(what, family)} ${what}${family}`);
	const found = new Map<string, Record<Protocol, PortRange[]>>();
	for (const [, source = '', number, port] of stdout.matchAll(
		/(?:([\d.a-f:]+) \. )?(\d+) \. (\d+)/g,
	)) {
		const ports = found.get(source) ?? {tcp: [], udp: []};
		found.set(source, ports);
		ports[number === `${NUMBERS.tcp}` ? 'tcp' : 'udp'].push(onePort(Number(port)));
	}

	return new Map(
		[...found].map(([source, {tcp, udp}]) => [
			normalizeAddress(source) ?? '',
			{tcp: joinRanges(tcp), udp: joinRanges(udp)},
		]),
	);
}

/** The ports of both families whose packets were forwarded or redirected. @throws {HostError} */
export async function readSentOn(machine: Namespace): Promise<Readonly<Record<Family, SentOn>>> {
	const {4: ipv4, 6: ipv6} = await readSentOnBySource(machine);
	return {4: ipv4.get('') ?? NOTHING_SENT, 6: ipv6.get('') ?? NOTHING_SENT};
}

export const NOTHING_SENT: SentOn = {forwarded: [], published: []};

/** The same for each source, where the counters are by source. @throws {HostError} */
export async function readSentOnBySource(
	machine: Namespace,
): Promise<Readonly<Record<Family, ReadonlyMap<string, SentOn>>>> {
	const found = {4: new Map<string, Mutable>(), 6: new Map<string, Mutable>()};
	const text = await list(machine, `table inet ${SENT}`);
	for (const [, name = '', family, elements = ''] of text.matchAll(
		/^\tset ([a-z]+)([46]) \{[^}]*elements = \{([^}]*)\}/gm,
	)) {
		for (const [, sender = '', number, port, address = '', last] of elements.matchAll(
			/(?:([\d.a-f:]+) \. )?(\d+) \. (\d+) \. ([\d.a-f:]+) \. (\d+)/g,
		)) {
			const bySource = found[family === '4' ? 4 : 6];
			const source = normalizeAddress(sender) ?? '';
			const sent = bySource.get(source) ?? {forwarded: [], published: []};
			bySource.set(source, sent);
			sent[name === 'published' ? name : 'forwarded'].push({
				protocol: number === `${NUMBERS.tcp}` ? 'tcp' : 'udp',
				port: Number(port),
				to: `${family === '4' ? address : `[${address}]`}:${last}`,
				here: name === 'redirected',
			});
		}
	}

	return found;
}

type Mutable = Record<keyof SentOn, Forwarded[]>;

async function list(machine: Namespace, what: string): Promise<string> {
	const {status, stdout, stderr} = await machine.run('nft', ['-n', 'list', ...what.split(' ')], {
		timeout: 30_000,
	});
	if (status !== 0) {
		throw new HostError(
			`The kernel did not say which packets passed: ${printable(firstLine(stderr), 120)}`,
			'See whether nft works here',
		);
	}

	return stdout;
}

async function nft(machine: Namespace, lines: readonly string[]): Promise<void> {
	const {status, stderr} = await machine.run('nft', ['-f', '-'], {input: `${lines.join('\n')}\n`});
	if (status !== 0) {
		throw new HostError(
			`Packets cannot be counted here: ${printable(firstLine(stderr), 160)}`,
			'Install nftables',
		);
	}
}
