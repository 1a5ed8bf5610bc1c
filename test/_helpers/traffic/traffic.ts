import path from 'node:path';
import process from 'node:process';
import type {Host} from '../lab/namespaces.ts';
import {INSIDE, IPV6, serve} from '../lab/pair.ts';

const SENDER = path.resolve(import.meta.dirname, 'traffic.js');
/** A port that every policy of the test opens, one that none opens, and one of a session that lasts. */
export const PORTS = {open: 8001, shut: 8002, lasting: 8003} as const;

/** One kind of probe: how many were sent, met the target's rules, came past them and were answered. */
export type Count = {
	readonly name: string;
	readonly sent: number;
	readonly arrived: number;
	readonly passed: number;
	readonly answered: number;
};

export type Traffic = {
	/** Ends it, and counts. */
	readonly stop: () => Promise<{readonly seconds: number; readonly counts: readonly Count[]}>;
};

const FAMILIES = [
	{family: 4, protocol: 'ipv4', ping: 'icmp type echo-request', address: INSIDE.target},
	{family: 6, protocol: 'ipv6', ping: 'icmpv6 type echo-request', address: IPV6.target},
] as const;

/** Every kind of probe, with what it is in the words of nft(8). */
const KINDS = FAMILIES.flatMap(({family, protocol, ping}) => {
	const syn = 'tcp flags & (fin | syn | rst | ack) == syn';
	return [
		...(['open', 'shut'] as const).flatMap((state) => [
			{name: `udp ${state} IPv${family}`, match: `udp dport ${PORTS[state]}`},
			{name: `tcp ${state} IPv${family}`, match: `tcp dport ${PORTS[state]} ${syn}`},
		]),
		{name: `session IPv${family}`, match: `tcp dport ${PORTS.lasting}`},
		{name: `ping IPv${family}`, match: ping},
	].map((kind) => ({...kind, match: `meta nfproto ${protocol} ${kind.match}`}));
});

/** Sends probes each millisecond; the target's kernel counts them before its rules and behind them. */
export async function startTraffic(target: Host, probe: Host): Promise<Traffic> {
	await serve(target, ...Object.values(PORTS).map((port) => `tcp:${port}`));
	await target.must('nft', ['-f', '-'], {input: COUNTERS});
	const addresses = FAMILIES.map(({address}) => address);
	const sender = await probe.start(
		process.execPath,
		[SENDER, ...Object.values(PORTS).map(String), ...addresses],
		/ready/,
	);
	const pings = await Promise.all(
		addresses.map(async (address) =>
			probe.start('sh', ['-c', `echo ready && exec ping -q -n -i 0.001 ${address}`], /ready/),
		),
	);
	return {
		async stop() {
			await Promise.all(pings.map(async (ping) => ping.interrupt()));
			await sender.endInput();
			const {milliseconds, sent, answered} = JSON.parse(
				sender.output().replace('ready', '') || '{}',
			) as Said;
			const hooks = await readCounters(target);
			const counts = KINDS.map(({name}) => ({
				name,
				sent: sent[name] ?? 0,
				answered: answered[name] ?? 0,
				arrived: hooks.get(`arrived ${name}`) ?? 0,
				passed: hooks.get(`passed ${name}`) ?? 0,
			}));
			const pinged = pings.map(
				(ping) => /(\d+) packets transmitted, (\d+) received/.exec(ping.output()) ?? [],
			);
			return {
				seconds: milliseconds / 1000,
				counts: counts.map((count) => {
					const result = pinged[count.name === 'ping IPv4' ? 0 : 1];
					return count.name.startsWith('ping')
						? {...count, sent: Number(result?.[1]), answered: Number(result?.[2])}
						: count;
				}),
			};
		},
	};
}

type Said = {
	readonly milliseconds: number;
	readonly sent: Readonly<Record<string, number>>;
	readonly answered: Readonly<Record<string, number>>;
};

/** In front of all rules of iptables, raw included, and behind them. */
const HOOKS = {arrived: 'prerouting priority -310', passed: 'input priority 60'} as const;

const COUNTERS = [
	'table inet fww_traffic {',
	...Object.entries(HOOKS).flatMap(([hook, place]) => [
		`	chain ${hook} {`,
		`		type filter hook ${place};`,
		...KINDS.map(({name, match}) => `		${match} counter comment "${hook} ${name}"`),
		'	}',
	]),
	'}',
	'',
].join('\n');

async function readCounters(host: Host): Promise<ReadonlyMap<string, number>> {
	const text = await host.must('nft', ['list', 'table', 'inet', 'fww_traffic']);
	return new Map(
		[...text.matchAll(/counter packets (\d+) bytes \d+ comment "([^"]+)"/g)].map(
			([, packets, name = '']) => [name, Number(packets)],
		),
	);
}
