// Measures what opening a port costs, with the built program as argument, in turns with `ufw allow` on a machine of its
// own where ufw is active. Runs as root in namespaces of its own; prints the figures as JSON.
import path from 'node:path';
import process from 'node:process';
import {findProgram} from '../../source/host/exec/find-program.ts';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {openLab} from '../_helpers/lab/lab.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';
import {type Figure, median, milliseconds} from './statistics.ts';

const CLI = path.resolve(process.argv[2] ?? 'build/cli.js');
const ROUNDS = 11;
/** Times of ufw, and milliseconds with the proof of the changed ports. */
const LIMITS = {times: 2.5, proven: 1000} as const;

async function measure(backend: Backend): Promise<readonly Figure[]> {
	const lab = openLab();
	try {
		const [{target}, {target: other}] = [
			await joinedPair(lab, backend),
			await joinedPair(lab, backend),
		];
		const wizard = async (...words: readonly string[]) =>
			target.must(process.execPath, [CLI, ...words]);
		await wizard('apply', '--role', 'server', '--yes');
		if (findProgram('ufw')) {
			await other.must('mount', ['-t', 'tmpfs', 'fww-bench', '/run']);
			await other.must('ufw', ['--force', 'enable']);
		}

		const times = {ufw: [] as number[], bare: [] as number[], proven: [] as number[]};
		for (let round = 0; round < ROUNDS; round++) {
			if (findProgram('ufw')) {
				times.ufw.push(await time(async () => other.must('ufw', ['allow', '8080/tcp'])));
				await other.must('ufw', ['delete', 'allow', '8080/tcp']);
			}

			times.bare.push(await time(async () => wizard('open', '8080/tcp', '--no-proof')));
			await wizard('close', '8080/tcp', '--no-proof');
			times.proven.push(await time(async () => wizard('open', '8080/tcp')));
			await wizard('close', '8080/tcp', '--no-proof');
		}

		const [ufw, bare, proven] = [times.ufw, times.bare, times.proven].map((list) =>
			median(list),
		) as [number, number, number];
		return [
			...(times.ufw.length === 0
				? []
				: [{name: `${backend}: ufw allow 8080/tcp`, value: milliseconds(ufw)}]),
			{
				name: `${backend}: open 8080/tcp without its proof`,
				value:
					times.ufw.length === 0
						? milliseconds(bare)
						: `${milliseconds(bare)}, ${(bare / ufw).toFixed(1)} times ufw`,
				...(times.ufw.length === 0
					? {}
					: {limit: `${LIMITS.times} times`, kept: bare <= LIMITS.times * ufw}),
			},
			{
				name: `${backend}: open 8080/tcp with its proof`,
				value: milliseconds(proven),
				limit: milliseconds(LIMITS.proven),
				kept: proven <= LIMITS.proven,
			},
		];
	} finally {
		await lab.close();
	}
}

async function time(action: () => Promise<unknown>): Promise<number> {
	const begin = performance.now();
	await action();
	return performance.now() - begin;
}

const figures: Figure[] = [];
for (const backend of BACKENDS) {
	figures.push(...(await measure(backend)));
}

console.log(JSON.stringify(figures));
