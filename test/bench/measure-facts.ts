// Measures how soon the facts are there on a machine with many listening sockets and many rules of
// others, and how long anything else has to wait meanwhile. Runs as root in namespaces of its own;
// prints the figures as JSON.
import path from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import process from 'node:process';
import {type FactSheet, makeFactSheet} from '../../source/commands/fact-sheet.ts';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {type Host, openLab} from '../_helpers/lab/lab.ts';
import {type Figure, milliseconds, quantile} from './statistics.ts';

const SOCKETS = 1000;
const RULES = 20_000;
const ROUNDS = 5;
/** Milliseconds: what is promised for the facts, and how long a key may wait for its frame. */
const LIMIT = 1000;
const FLUID = 50;

/** What one machine's facts took, in milliseconds, as the inner program prints it. */
type Round = {readonly took: number; readonly longest: number; readonly listeners: number};

/** Inside: looks at this machine, and measures the longest time that nothing else could be done. */
async function look(): Promise<Round> {
	const delay = monitorEventLoopDelay({resolution: 1});
	delay.enable();
	const begin = performance.now();
	const {listeners, published, iptables}: FactSheet = await makeFactSheet();
	const took = performance.now() - begin;
	delay.disable();
	if (listeners === 'unknown' || published === 'unknown' || typeof iptables === 'string') {
		throw new Error('Not all facts were found');
	}

	return {took, longest: delay.max / 1e6, listeners: listeners.length};
}

/** Rules as a list of banned addresses has them, half in INPUT's own chain, half in one of nat. */
function foreignRules(): string {
	const rules = (chain: string, action: string) =>
		Array.from(
			{length: RULES / 2},
			(_, index) =>
				`-A ${chain} -s 198.18.${index >> 8}.${index & 255}/32 -p tcp -m tcp --dport 22 -j ${action}`,
		);
	return [
		...['*filter', ':INPUT ACCEPT', ':banned -', '-A INPUT -j banned'],
		...rules('banned', 'DROP'),
		...['COMMIT', '*nat', ':PREROUTING ACCEPT', ':elsewhere -', '-A PREROUTING -j elsewhere'],
		...rules('elsewhere', 'RETURN'),
		...['COMMIT', ''],
	].join('\n');
}

async function crowd(host: Host): Promise<void> {
	await host.must('iptables-restore', [], {input: foreignRules()});
	const sockets = [
		{protocol: 'tcp', host: '0.0.0.0', port: 10_000, count: SOCKETS},
		{protocol: 'udp6', host: '::', port: 10_000, count: SOCKETS},
	];
	const program = path.join(import.meta.dirname, 'listening.js');
	const words = sockets.map((socket) => JSON.stringify(socket));
	await host.start(process.execPath, [program, ...words], /ready/);
}

async function measure(backend: Backend): Promise<readonly Figure[]> {
	const lab = openLab();
	try {
		const host = await lab.host({backend});
		await crowd(host);
		const rounds: Round[] = [];
		for (let round = 0; round < ROUNDS; round++) {
			const text = await host.must(process.execPath, [process.argv[1] ?? '', 'look']);
			rounds.push(JSON.parse(text));
		}

		if (rounds.some(({listeners}) => listeners !== 2 * SOCKETS)) {
			throw new Error(`Not all listeners were found: ${JSON.stringify(rounds)}`);
		}

		const took = quantile(
			rounds.map((round) => round.took),
			1,
		);
		const longest = quantile(
			rounds.map((round) => round.longest),
			1,
		);
		const crowded = `${2 * SOCKETS} listening sockets, ${RULES} rules of others (${backend})`;
		return [
			{
				name: `facts of a machine, ${crowded}: slowest of ${ROUNDS}`,
				value: milliseconds(took),
				limit: milliseconds(LIMIT),
				kept: took <= LIMIT,
			},
			{
				name: `longest that a key waits meanwhile, ${crowded}`,
				value: milliseconds(longest),
				limit: milliseconds(FLUID),
				kept: longest <= FLUID,
			},
		];
	} finally {
		await lab.close();
	}
}

if (process.argv[2] === 'look') {
	console.log(JSON.stringify(await look()));
} else {
	const figures: Figure[] = [];
	for (const backend of BACKENDS) {
		figures.push(...(await measure(backend)));
	}

	console.log(JSON.stringify(figures));
}
