import path from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {FAMILIES, type Family, parseNetwork} from '../../source/lib/network.ts';
import type {Opening} from '../../source/policy/opening.ts';
import {completePolicy, type Policy, VERDICTS} from '../../source/policy/policy.ts';
import {PUBLISHED} from '../../source/policy/published.ts';
import type {PacketAnswer} from '../../source/ruleset/explain.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';
import {type KeptRules, NETWORKS, PORTS, SETS} from '../_helpers/samples/random-rules.ts';

const OUTCOMES = path.resolve(import.meta.dirname, '../_helpers/traffic/outcomes.js');
export const TARGET: Readonly<Record<Family, string>> = {4: '198.51.100.1', 6: '2001:db8::1'};
/** The last one is in no network that rules name. */
export const SOURCES: Readonly<Record<Family, readonly string[]>> = {
	4: ['198.51.100.2', '203.0.113.60', '192.0.2.7', '203.0.113.200'],
	6: ['2001:db8::2', '2001:db8:66::6', '2001:db8:77::7'],
};

export type Sent = {
	readonly family: Family;
	readonly protocol: 'tcp' | 'udp';
	readonly port: number;
	readonly source: string;
	readonly target: string;
};

const openings: fc.Arbitrary<Opening> = fc
	.record({
		protocol: fc.constantFrom('tcp', 'udp', 'both'),
		port: fc.constantFrom(...PORTS),
		networks: fc.uniqueArray(fc.constantFrom(...NETWORKS[4], ...NETWORKS[6])),
	})
	.map(
		({protocol, port, networks}): Opening => ({
			...{kind: 'port', protocol, first: port, last: port, limit: false},
			...(networks.length === 0 ? {} : {from: networks.map(parseNetwork)}),
		}),
	);
export const policies = fc
	.record({
		role: fc.constantFrom('server', 'workstation'),
		verdict: fc.constantFrom(...VERDICTS),
		openings: fc.array(openings, {maxLength: 4}),
	})
	.map((part) => completePolicy(part));
/** The same with what a proof of every port would be disturbed by: limits, blocked sources, published ports. */
export function governed(all: fc.Arbitrary<Policy>): fc.Arbitrary<Policy> {
	return fc
		.record({
			policy: all,
			limit: fc.boolean(),
			blocked: fc.subarray([...SOURCES[4], ...SOURCES[6]], {maxLength: 1}),
			published: fc.constantFrom(...PUBLISHED),
		})
		.map(({policy, limit, blocked, published}) =>
			completePolicy({
				...policy,
				openings: policy.openings.map(
					(one): Opening => (one.kind === 'port' ? {...one, limit} : one),
				),
				blocked: blocked.map(parseNetwork),
				published,
			}),
		);
}

export const packets: fc.Arbitrary<Sent> = fc.constantFrom(...FAMILIES).chain((family) =>
	fc.record({
		family: fc.constant(family),
		protocol: fc.constantFrom('tcp', 'udp'),
		port: fc.constantFrom(...PORTS),
		source: fc.constantFrom(...SOURCES[family]),
		target: fc.constant(TARGET[family]),
	}),
);
/** A machine with a container behind it, beside one that sends it packets from several sources. */
export type KeptWorld = {
	readonly target: Host;
	readonly probe: Host;
	/** Runs fw-wizard on the machine, which must succeed. */
	readonly run: (...args: readonly string[]) => Promise<string>;
	/** Loads other programs' rules, and nothing else. */
	readonly load: (rules: KeptRules) => Promise<void>;
	/** How each packet went. */
	readonly send: (sent: readonly Sent[]) => Promise<readonly string[]>;
};

export async function openKeptWorld(lab: Lab, backend: Backend): Promise<KeptWorld> {
	const other = backend === 'nft' ? 'legacy' : 'nft';
	const [target, probe] = [await lab.host({backend}), await lab.host()];
	const container = await lab.host();
	const end = (host: Host, addresses: Readonly<Record<Family, string>>) => ({
		...{host, device: 'eth0'},
		addresses: [`${addresses[4]}/24`, `${addresses[6]}/64`],
	});
	await lab.join(end(target, TARGET), end(probe, {4: '198.51.100.2', 6: '2001:db8::2'}));
	await lab.join(
		{host: target, device: 'docker0', addresses: ['172.17.0.1/16', 'fd00:d0c::1/64']},
		{host: container, device: 'eth0', addresses: ['172.17.0.2/16', 'fd00:d0c::2/64']},
	);
	const more = FAMILIES.flatMap((family) => SOURCES[family].slice(1));
	await probe.ip(
		more.map((source) => `address add ${source} dev eth0${source.includes(':') ? ' nodad' : ''}`),
	);
	await target.ip(['route add default via 198.51.100.2', 'route add default via 2001:db8::2']);
	// Rules may block neighbour discovery: then it is no packet of these that decides what a client sees.
	const [near, far] = await Promise.all([target, probe].map(hardwareOf));
	for (const family of FAMILIES) {
		const [other] = SOURCES[family];
		await target.ip([`neighbour replace ${other} lladdr ${far} dev eth0 nud permanent`]);
		await probe.ip([`neighbour replace ${TARGET[family]} lladdr ${near} dev eth0 nud permanent`]);
	}

	await container.ip(['route add default via 172.17.0.1', 'route add default via fd00:d0c::1']);
	await target.sysctl({
		...{'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1},
		...{'net.ipv4.icmp_ratelimit': 0, 'net.ipv6.icmp.ratelimit': 0},
	});
	await target.must('ipset', ['restore'], {
		input: [
			...FAMILIES.map(
				(family) =>
					`create ${SETS[family]} hash:net ${family === 4 ? '' : 'family inet6 '}timeout 9999`,
			),
			`add ${SETS[4]} 192.0.2.0/25`,
			`add ${SETS[6]} 2001:db8:66::/64\n`,
		].join('\n'),
	});
	const services = PORTS.flatMap((port) => [`tcp:${port}`, `udp:${port}`]);
	await serve(target, ...services);
	await serve(container, ...services);
	const run = async (...args: readonly string[]): Promise<string> =>
		target.must(process.execPath, [CLI, ...args], {timeout: 200_000});

	/** Loads other programs' rules, and nothing else. */
	const load = async ({inUse, other: others, native}: KeptRules): Promise<void> => {
		await target.must('nft', ['flush', 'ruleset']);
		for (const family of FAMILIES) {
			const program = family === 4 ? 'iptables' : 'ip6tables';
			const empty = ['raw', 'mangle', 'nat', 'filter'].map((name) => `*${name}\nCOMMIT\n`);
			await target.must(`${program}-legacy-restore`, [], {input: empty.join('')});
			await target.must(`${program}-restore`, [], {input: inUse[family]});
			if (others[family] !== '') {
				await target.must(`${program}-${other}-restore`, [], {input: others[family]});
			}
		}

		if (native !== '') {
			await target.must('nft', ['-f', '-'], {input: native});
		}
	};

	/** How each packet went. A busy machine has a second try. */
	const send = async (sent: readonly Sent[]): Promise<readonly string[]> => {
		const once = async (some: readonly Sent[], patience: number): Promise<readonly string[]> =>
			JSON.parse(
				await probe.must(process.execPath, [OUTCOMES, `${patience}`], {
					input: JSON.stringify(some),
				}),
			);
		const first = await once(sent, 1500);
		const silent = sent.filter((_, index) => first[index] === 'silent');
		const again = [...(await once(silent, 3000))];
		return first.map((outcome) => (outcome === 'silent' ? (again.shift() ?? '') : outcome));
	};

	return {target, probe, run, load, send};
}

async function hardwareOf(host: Host): Promise<string> {
	const [link] = JSON.parse(await host.must('ip', ['-j', 'link', 'show', 'eth0']));
	return link.address;
}

/** What a client sees. */
export const OUTCOME_OF: Readonly<Record<PacketAnswer['fate'], string>> = {
	...{accepted: 'open', forwarded: 'open', rejected: 'refused', dropped: 'silent'},
	unknown: 'unknown',
};

export function nameOf(sent: Sent | undefined): string {
	return `${sent?.port}/${sent?.protocol} from ${sent?.source}`;
}
