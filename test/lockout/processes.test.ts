import os from 'node:os';
import process from 'node:process';
import {describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {startApply, wizardDoes} from '../_helpers/lab/cli.ts';
import {limitProcesses} from '../_helpers/lab/control-groups.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {processesOf, whatStays} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {processesOfWatchdog, signalWatchdog, watchdogOf} from '../_helpers/lab/watchdogs.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

/** Seconds to confirm in; the least that can be chosen. */
const LIMIT = 10;
/** Seconds that the way back may take after that: five, and on a busy machine more. */
const GRACE = rounds(20, 5);
const SHUT = ['--role', 'workstation', '--no-open', '--no-helper'];

describe.each(mainly('legacy'))('a watchdog that cannot start a process, %s', (backend) => {
	const lab = useLab();

	/** Loads rules that wait for their confirmation. */
	const load = async (...flags: readonly string[]) => {
		const host = await lab.host({backend});
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
		const before = await rulesOf(host);
		const applying = await startApply(host, ...SHUT, ...flags, '--confirm-within', `${LIMIT}`);
		const until = Number(await host.must('cat', ['/var/lib/fw-wizard/changes/2/pending']));
		expect(await rulesOf(host)).not.toEqual(before);
		const isBackInTime = async () => {
			const timeout = (until + GRACE - os.uptime()) * 1000;
			const look = async () => expect(await rulesOf(host)).toEqual(before);
			await vi.waitFor(look, {timeout, interval: 200});
		};
		return {host, applying, until, isBackInTime};
	};

	// They wait for their time to pass, and do so side by side.
	describe.concurrent.each(Array.from({length: rounds(1, 10)}, (_, round) => round))('%i', () => {
		test('from its beginning until after the limit: it rolls back all the same', async () => {
			const {host, applying, isBackInTime} = await load();
			applying.kill();
			const free = limitProcesses(await processesOfWatchdog(host), 0);
			try {
				await isBackInTime();
			} finally {
				free();
			}

			// What is left to do is done as soon as it can be.
			const look = async () =>
				expect(await wizardDoes(host, 'undo', '--list')).toMatch(/ 2 .* rolled back /);
			await vi.waitFor(look, {timeout: 40_000, interval: 1000});
			expect(await whatStays(host)).toEqual([]);
		});

		test.each([1, 0, 2].slice(0, rounds(1, 3)))(
			'for 3 s, %i s before the limit: it tries again',
			async (early) => {
				const {host, applying, until, isBackInTime} = await load('--existing', 'flush-input');
				applying.kill();
				// Found before: on a busy machine that takes until it has rolled back.
				const watchdogs = await processesOfWatchdog(host);
				const isTime = () => expect(os.uptime()).toBeGreaterThan(until - early);
				await vi.waitFor(isTime, {timeout: LIMIT * 1000, interval: 20});
				const free = limitProcesses(watchdogs, 0);
				await host.must('sleep', ['3']);
				free();
				await isBackInTime();
				expect(await whatStays(host, undefined, 40_000)).toEqual([]);
			},
		);

		test.each((['SIGKILL', 'SIGSTOP'] as const).slice(0, rounds(1, 2)))(
			'or whose first process alone gets %s: the others roll back',
			async (signal) => {
				const {host, applying, isBackInTime} = await load('--existing', 'flush-input');
				applying.kill();
				const first = await watchdogOf(host);
				process.kill(first, signal);
				await isBackInTime();
				if (signal === 'SIGSTOP') {
					process.kill(first, 'SIGCONT');
				}

				expect(await whatStays(host)).toEqual([]);
			},
		);

		test('or is killed: the waiting program starts it again, and it rolls back alone', async () => {
			const {host, applying, isBackInTime} = await load();
			const killed = await processesOfWatchdog(host);
			await signalWatchdog(host, 'SIGKILL');
			const isStarted = async () => {
				// The watchdog of the change before may not have ended yet.
				const started = (await processesOf(host)).filter(
					({pid, title}) => title.includes('changes/2/rollback wait') && !killed.includes(pid),
				);
				expect(started.length).toBeGreaterThan(10);
			};
			await vi.waitFor(isStarted, {timeout: 5000, interval: 100});
			applying.kill();
			await isBackInTime();
			expect(await whatStays(host)).toEqual([]);
		});
	});
});

async function rulesOf(host: Host) {
	return withoutEmptyTables(await readSaves(host));
}
