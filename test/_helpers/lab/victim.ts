import {spawn} from 'node:child_process';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import {CLI} from './cli.ts';
import type {Host, Lab} from './namespaces.ts';

/** Runs fw-wizard and kills it after some milliseconds. @returns whether it still ran then */
export async function killAfter(
	host: Host,
	args: readonly string[],
	milliseconds: number,
): Promise<{killed: boolean; moment: string; milliseconds: number}> {
	const [program = '', ...rest] = [...host.enter, process.execPath, CLI, ...args];
	const start = performance.now();
	const child = spawn(program, rest, {
		stdio: 'ignore',
		env: {PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...host.variables},
	});
	const ended = new Promise<boolean>((resolve) => {
		child.on('exit', (_, signal) => resolve(signal === 'SIGKILL'));
	});
	const timer = delay(milliseconds, undefined, {ref: false}).then(() => child.kill('SIGKILL'));
	const killed = await ended;
	const took = performance.now() - start;
	await timer;
	return {killed, moment: `after ${milliseconds.toFixed(0)} ms`, milliseconds: took};
}

/** System calls that change something, and how often each is made by what is killed, at least. */
const STEPS = {
	rename: 7,
	mkdir: 6,
	fsync: 8,
	pwrite64: 5,
	chmod: 5,
	clone: 2,
	clone3: 10,
} as const;

/** Runs fw-wizard, and ends it by kill -9 just before a step of its work, by strace(1). */
export async function killBefore(
	host: Host,
	args: readonly string[],
	random: () => number,
): Promise<{killed: boolean; moment: string}> {
	const steps = Object.entries(STEPS);
	const [call, times] = steps[Math.floor(random() * steps.length)] ?? ['rename', 1];
	const when = 1 + Math.floor(random() * times);
	const trap = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${when}`];
	const {status} = await host.run('strace', [
		...['-qq', '-o', '/dev/null', ...trap],
		...[process.execPath, CLI, ...args],
	]);
	return {killed: status === undefined, moment: `before ${call} ${when}`};
}

/** Of the moments at which something is ended: others at each run, unless FWW_SEED says which. */
export const SEED = Number(process.env.FWW_SEED ?? Date.now() % 1e9);

/**
 * Does the same to several machines side by side, each with random numbers of its own, and prints how often
 * each word was its outcome.
 * @returns all outcomes
 */
export async function torment(
	lab: Lab,
	backend: Backend,
	machines: number,
	strike: (host: Host, random: () => number) => Promise<readonly string[]>,
): Promise<readonly string[]> {
	const told = await Promise.all(
		Array.from({length: machines}, async (_, index) => {
			try {
				return await strike(await lab.host({backend}), randomFrom(SEED + index));
			} catch (error) {
				throw new Error(`FWW_SEED=${SEED}: ${(error as Error).message}`, {cause: error});
			}
		}),
	);
	const outcomes = told.flat();
	const total: Record<string, number> = {};
	for (const outcome of outcomes) {
		total[outcome] = (total[outcome] ?? 0) + 1;
	}

	console.info(`${backend}: ${JSON.stringify(total)}`);
	return outcomes;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
