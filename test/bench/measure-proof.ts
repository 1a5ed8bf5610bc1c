// Measures a proof of all ports against nmap's scan of a quarter of them, side by side.
// Runs the built program as root; prints the figures as JSON.
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {execute, succeed} from '../_helpers/lab/programs.ts';
import {descendantsOf} from '../_helpers/samples/traces.ts';
import {manySources} from './many-sources.ts';
import {type Figure, median} from './statistics.ts';

const CLI = path.resolve(process.argv[2] ?? 'build/cli.js');
const ROUNDS = 5;
const PROBES = 262_140;
const TARGET = '198.18.77.1';

type Run = {readonly whole: number; readonly sweep: number; readonly memory: number};

const runs: Run[] = [];
for (let round = 0; round < ROUNDS; round++) {
	runs.push(await proveOnce());
}

const [whole, sweep] = [median(runs.map((run) => run.whole)), median(runs.map((run) => run.sweep))];
const memory = Math.max(...runs.map((run) => run.memory));
const nmap = await scanOnce();
const networks: readonly Figure[] = [
	await proveNetworks(22, 3, 6),
	await proveNetworks(1000, 1, 30),
];
const figures: readonly Figure[] = [
	{
		name: `proof: ${PROBES} packets`,
		value: seconds(sweep),
		limit: '6 s',
		kept: sweep <= 6000,
	},
	{name: 'proof: all of it, start and dialogues included', value: seconds(whole)},
	{
		name: 'proof: against nmap -sS -p- (65535 packets, drop)',
		value: `${seconds(nmap)}, ${Math.round(nmap / sweep)} times`,
		limit: '20 times',
		kept: nmap >= 20 * sweep,
	},
	{
		name: 'proof: memory, all processes together',
		value: `${Math.round(memory)} MB`,
		limit: '250 MB',
		kept: memory < 250,
	},
	...networks,
];
console.log(JSON.stringify(figures));

/** All of a proof of two ports that are open to so many networks. @param limit in seconds */
async function proveNetworks(count: number, rounds: number, limit: number): Promise<Figure> {
	const times: number[] = [];
	const open = `80 443 from ${manySources(count).join(', ')}`;
	for (let round = 0; round < rounds; round++) {
		const begin = performance.now();
		await succeed([process.execPath, CLI, 'prove', '--role', 'server', '--open', open], {
			timeout: 600_000,
		});
		times.push(performance.now() - begin);
	}

	return {
		name: `proof: two ports open to ${count} networks`,
		value: seconds(median(times)),
		limit: `${limit} s`,
		kept: median(times) <= 1000 * limit,
	};
}

async function proveOnce(): Promise<Run> {
	const begin = performance.now();
	const child = spawn(
		process.execPath,
		[CLI, 'prove', '--role', 'server', '--verdict', 'drop', '--json'],
		{stdio: ['ignore', 'pipe', 'inherit']},
	);
	let memory = 0;
	const look = setInterval(() => {
		const pid = child.pid ?? 0;
		const pids = [pid, ...descendantsOf(pid).map((one) => one.pid)];
		memory = Math.max(
			memory,
			pids.reduce((sum, one) => sum + residentOf(one), 0),
		);
	}, 50);
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (data) => {
		output += data;
	});
	await new Promise((resolve) => child.on('close', resolve));
	clearInterval(look);
	const whole = performance.now() - begin;
	const report = JSON.parse(output) as {
		readonly proven: boolean;
		readonly probes: number;
		readonly seconds: number;
	};
	if (!report.proven || report.probes !== PROBES) {
		throw new Error(`not proven: ${output}`);
	}

	return {whole, sweep: 1000 * report.seconds, memory};
}

/** Two namespaces, the same rules in one, nmap as it comes in the other. */
async function scanOnce(): Promise<number> {
	const [target, probe] = ['target', 'probe'].map((name) => `fww-${process.pid}-${name}`) as [
		string,
		string,
	];
	try {
		await succeed(['ip', 'netns', 'add', target]);
		await succeed(['ip', 'netns', 'add', probe]);
		await succeed([
			...['ip', '-n', target, 'link', 'add', 'eth0', 'type', 'veth'],
			...['peer', 'name', 'eth0', 'netns', probe],
		]);
		for (const [name, address] of [
			[target, `${TARGET}/24`],
			[probe, '198.18.77.2/24'],
		] as const) {
			await succeed(['ip', '-n', name, 'address', 'add', address, 'dev', 'eth0']);
			await succeed(['ip', '-n', name, 'link', 'set', 'eth0', 'up']);
		}

		const rules = await succeed([
			process.execPath,
			CLI,
			'rules',
			'--role',
			'server',
			'--verdict',
			'drop',
		]);
		const [ipv4 = ''] = rules.split('# ip6tables-restore');
		await succeed(['ip', 'netns', 'exec', target, 'iptables-restore', '--noflush'], {input: ipv4});
		const begin = performance.now();
		await succeed(['ip', 'netns', 'exec', probe, 'nmap', '-n', '-Pn', '-sS', '-p-', TARGET], {
			timeout: 900_000,
		});
		return performance.now() - begin;
	} finally {
		await execute(['ip', 'netns', 'del', target]);
		await execute(['ip', 'netns', 'del', probe]);
	}
}

/** Megabytes. */
function residentOf(pid: number): number {
	try {
		return (
			Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
		);
	} catch {
		return 0;
	}
}

function seconds(milliseconds: number): string {
	return `${(milliseconds / 1000).toFixed(2)} s`;
}
