import {HostError} from '../host/errors.ts';
import {findProgram, firstLine} from '../host/run.ts';
import {FAMILIES, type Family} from '../policy/network.ts';
import {printable} from '../policy/printable.ts';
import type {Protocol} from '../policy/services.ts';
import {joinRanges} from '../ruleset/reach.ts';
import type {PortRange} from '../ruleset/ruleset.ts';
import type {Namespace} from './namespace.ts';

/** Ports of each protocol, as ranges in ascending order. */
export type Ports = Readonly<Record<Protocol, readonly PortRange[]>>;

const TABLE = 'fw_wizard_proof';
/** Beside it, since to read anything of a table takes nft as long as to read its sets. */
const COUNTS = `${TABLE}_counts`;
/** Goes from the chain that notes a port for the first time to the chain that counts it, no further. */
const MARK = '0x66777770';
const NUMBERS = {tcp: 6, udp: 17} as const;

/** Whether the kernel can note ports in sets of nftables; without nft(8) rules of iptables count (tally.ts). */
export function canNote(): boolean {
	return findProgram('nft') !== undefined;
}

/**
 * Puts a table of our own into a throw-away namespace, which notes each port that a packet arrived
 * at, before all rules, and each that was let through, after all of them.
 * @param interfaces where packets come in
 */
export async function installCounters(
	machine: Namespace,
	interfaces: readonly string[],
): Promise<void> {
	const set = (name: string) =>
		`set ${name} { type inet_proto . inet_service; size 262144; flags dynamic; }`;
	const from = `iifname { ${interfaces.map((name) => `"${name}"`).join(', ')} }`;
	const port = 'meta l4proto . th dport';
	const each = (rules: (family: Family, packets: string) => string) =>
		FAMILIES.map((family) =>
			rules(family, `${from} meta nfproto ipv${family} meta l4proto { tcp, udp }`),
		).join(' ');
	await nft(machine, [
		...[TABLE, COUNTS].flatMap((name) => [`add table inet ${name}`, `delete table inet ${name}`]),
		`table inet ${TABLE} {`,
		...FAMILIES.flatMap((family) => [set(`arrived${family}`), set(`passed${family}`)]),
		`chain arrived { type filter hook prerouting priority raw - 11; ${each(
			(family, packets) =>
				`${packets} ${port} != @arrived${family} update @arrived${family} { ${port} } meta mark set ${MARK};`,
		)} }`,
		// The port that a packet went to, before a redirection (nat) sent it to another.
		// After every other filter, before conntrack confirms (NF_IP_PRI_CONNTRACK_CONFIRM is INT_MAX).
		`chain passed { type filter hook input priority 2147483645; ${each(
			(family, packets) =>
				`${packets} ct state { invalid, untracked } update @passed${family} { ${port} }; ${packets} ct state != { invalid, untracked } update @passed${family} { meta l4proto . ct original proto-dst };`,
		)} }`,
		// What has passed is noted and has done its work: no answers, no connections that fill a table.
		`chain swallow { type filter hook input priority 2147483646; ${each((_, packets) => `${packets} drop;`)} }`,
		'}',
		`table inet ${COUNTS} {`,
		`chain arrived { type filter hook prerouting priority raw - 10; ${each((_, packets) => `${packets} meta mark ${MARK} counter meta mark set 0;`)} }`,
		'}',
	]);
}

/** Lets packets that pass reach the machine's programs: while ports are swept they do not. */
export async function letThrough(machine: Namespace): Promise<void> {
	await nft(machine, [`flush chain inet ${TABLE} swallow`, `delete chain inet ${TABLE} swallow`]);
}

/** Forgets what was noted. */
export async function resetCounters(machine: Namespace): Promise<void> {
	await nft(
		machine,
		FAMILIES.flatMap((family) =>
			['arrived', 'passed'].map((name) => `flush set inet ${TABLE} ${name}${family}`),
		),
	);
}

/** At how many ports of each family packets have arrived, since the counters were installed. */
export async function countArrivals(machine: Namespace): Promise<Readonly<Record<Family, number>>> {
	const {stdout} = await machine.run('nft', ['list', 'chain', 'inet', COUNTS, 'arrived']);
	const [ipv4 = 0, ipv6 = 0] = [...stdout.matchAll(/packets (\d+)/g)].map(([, count]) =>
		Number(count),
	);
	return {4: ipv4, 6: ipv6};
}

/** The ports of a family that packets arrived at, or that they passed to. */
export async function readPorts(
	machine: Namespace,
	what: 'arrived' | 'passed',
	family: Family,
): Promise<Ports> {
	const {status, stdout, stderr} = await machine.run(
		'nft',
		['-n', 'list', 'set', 'inet', TABLE, `${what}${family}`],
		{timeout: 30_000},
	);
	if (status !== 0) {
		throw new HostError(
			`The kernel did not say which packets passed: ${printable(firstLine(stderr), 120)}`,
			'See whether nft works here',
		);
	}

	const ports: Record<Protocol, PortRange[]> = {tcp: [], udp: []};
	for (const [, number, text] of stdout.matchAll(/(\d+) \. (\d+)/g)) {
		const port = Number(text);
		ports[number === `${NUMBERS.tcp}` ? 'tcp' : 'udp'].push({first: port, last: port});
	}

	return {tcp: joinRanges(ports.tcp), udp: joinRanges(ports.udp)};
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
