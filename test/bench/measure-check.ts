// Measures the reboot-survival checklist, its rehearsal of the boot included. To be run as root in a
// network, mount namespaces and files of its own, with the built program as argument; prints the
// figures as JSON.
import path from 'node:path';
import process from 'node:process';
import {succeed} from '../_helpers/lab/programs.ts';
import {type Figure, median} from './statistics.ts';

const CLI = path.resolve(process.argv[2] ?? 'build/cli.js');
const ROUNDS = 9;
const POLICY = ['--role', 'server', '--helper', 'ftp'];
/** A bastion: an interface, some networks, a range. */
const OPENINGS = [
	'22/tcp limit',
	'21,53,80,443,8000-8010/tcp',
	'5432/tcp from 10.1.0.0/16',
	'9100/tcp from 2001:db8:1::/48',
	'9100/tcp on wg0',
];

const environment = {XTABLES_LOCKFILE: process.env.XTABLES_LOCKFILE ?? '/run/xtables.lock'};
const openings = OPENINGS.flatMap((opening) => ['--open', opening]);
const wizard = async (...args: readonly string[]) =>
	succeed([process.execPath, CLI, ...args], {timeout: 120_000}, environment);

await wizard('apply', '--yes', ...POLICY, ...openings);
const [bare, check] = [
	await time(async () => succeed([process.execPath, '-e', '0'])),
	await time(async () => wizard('check')),
];
const full = await time(async () => wizard('check', '--full'), 3);
const figures: readonly Figure[] = [
	{
		name: 'check, with a rehearsal of the boot and packets to the edges of its rules and of the running ones',
		value: `${Math.round(check)} ms, ${(check / bare).toFixed(1)} times a bare node`,
		limit: '1.5 s',
		kept: check <= 1500,
	},
	{name: 'check --full, with packets to all ports', value: `${(full / 1000).toFixed(2)} s`},
];
console.log(JSON.stringify(figures));

/** The median, in milliseconds. */
async function time(work: () => Promise<unknown>, rounds = ROUNDS): Promise<number> {
	const times: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const begin = performance.now();
		await work();
		times.push(performance.now() - begin);
	}

	return median(times);
}
