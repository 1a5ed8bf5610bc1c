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

type Traffic = {
	/** Ends it, and counts. */
	readonly stop: () => Promise<{readonly seconds: number; readonly counts: readonly Count[]}>;
};

const FAMILIES = [
	{family: 4, protocol: 'ipv4', ping: 'icmp type echo-request'},
	{family: 6, protocol: 'ipv6', ping: 'icmpv6 type echo-request'},
] as const;

/** Where packets are counted, in the words of nft(8). */
type Hooks = {
	readonly arrived: string;
	readonly passed: string;
	/** A packet's destination port, before a rule of nat has changed it. */
	readonly port: string;
};

/** In front of all rules of iptables, raw included, and behind those of INPUT. */
const INPUT: Hooks = {
	arrived: 'prerouting priority -310',
	passed: 'input priority 60',
	port: 'th dport',
};

/** In front of the mangle table's rules for forwarded packets, and right behind them. */
export const FORWARD: Hooks = {
	arrived: 'forward priority -151',
	passed: 'forward priority -149',
	port: 'ct direction original ct original proto-dst',
};

/** Every kind of probe, with what it is in the words of nft(8). */
function kinds(port: string): ReadonlyArray<{readonly name: string; readonly match: string}> {
	return FAMILIES.flatMap(({family, protocol, ping}) => {
		const syn = 'tcp flags & (fin | syn | rst | ack) == syn';
		const sentTo = (number: number) => `${port} ${number}`;
		return [
			...(['open', 'shut'] as const).flatMap((state) => [
				{
					name: `udp ${state} IPv${family}`,
					match: `meta l4proto udp ${sentTo(PORTS[state])}`,
				},
				{
					name: `tcp ${state} IPv${family}`,
					match: `meta l4proto tcp ${sentTo(PORTS[state])} ${syn}`,
				},
			]),
			{name: `session IPv${family}`, match: `meta l4proto tcp ${sentTo(PORTS.lasting)}`},
			{name: `ping IPv${family}`, match: ping},
		].map((kind) => ({...kind, match: `meta nfproto ${protocol} ${kind.match}`}));
	});
}

/** Sends probes each millisecond to services of the target; its kernel counts them before its rules and behind them. */
export async function startTraffic(target: Host, probe: Host): Promise<Traffic> {
	await serve(target, ...Object.values(PORTS).map((port) => `tcp:${port}`));
	return sendTraffic(target, probe, [INSIDE.target, IPV6.target], INPUT);
}

/** The same to services that are there, at an address of each family. */
export async function sendTraffic(
	target: Host,
	probe: Host,
	addresses: readonly [ipv4: string, ipv6: string],
	hooks: Hooks,
): Promise<Traffic> {
	await target.must('nft', ['-f', '-'], {input: counters(hooks)});
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
			const counted = await readCounters(target);
			const counts = kinds(hooks.port).map(({name}) => ({
				name,
				sent: sent[name] ?? 0,
				answered: answered[name] ?? 0,
				arrived: counted.get(`arrived ${name}`) ?? 0,
				passed: counted.get(`passed ${name}`) ?? 0,
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

function counters({port, ...hooks}: Hooks): string {
	return [
		'table inet fww_traffic {',
		...Object.entries(hooks).flatMap(([hook, place]) => [
			`	chain ${hook} {`,
			`		type filter hook ${place};`,
			...kinds(port).map(({name, match}) => `		${match} counter comment "${hook} ${name}"`),
			'	}',
		]),
		'}',
		'',
	].join('\n');
}

async function readCounters(host: Host): Promise<ReadonlyMap<string, number>> {
	const text = await host.must('nft', ['list', 'table', 'inet', 'fww_traffic']);
	await host.must('nft', ['delete', 'table', 'inet', 'fww_traffic']);
	return new Map(
		[...text.matchAll(/counter packets (\d+) bytes \d+ comment "([^"]+)"/g)].map(
			([, packets, name = '']) => [name, Number(packets)],
		),
	);
}
