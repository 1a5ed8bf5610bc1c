import os from 'node:os';
import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {WATCHDOG_DELAY} from '../../source/change/change-state.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {signalWatchdog} from '../_helpers/lab/watchdogs.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

const BEFORE = ['--role', 'server', '--open', '22/tcp'];
const SHUT = ['--role', 'workstation', '--no-open', '--no-helper'];
/** Seconds to confirm in; the least that can be chosen. */
const LIMIT = 10;
/** Milliseconds until every watchdog must have given up hope: the limit, and five seconds. */
const OVERDUE = LIMIT * 1000 + 5000;

describe.each(mainly('legacy'))('a change whose watchdog was killed, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();

	/** Loads rules that wait, and sends a signal to the program and one to the watchdog, with all that it has started. */
	const load = async (toProgram?: NodeJS.Signals, toWatchdog: NodeJS.Signals = 'SIGKILL') => {
		const host = await lab.host({backend});
		await wizardDoes(host, 'apply', ...BEFORE);
		const before = await rulesOf(host);
		const applying = await startApply(host, ...SHUT, '--confirm-within', `${LIMIT}`);
		// It would start the watchdog again.
		if (toProgram) {
			process.kill(applying.pid, toProgram);
		}

		await signalWatchdog(host, toWatchdog);
		expect(await rulesOf(host)).not.toBe(before);
		return {host, before, applying};
	};

	// They wait for their time to pass, and do so side by side.
	describe.concurrent('', () => {
		test('or stopped: is rolled back by the program that waits, status 4', async () => {
			const {host, before, applying} = await load(undefined, 'SIGSTOP');
			await expect.poll(async () => rulesOf(host), {timeout: OVERDUE, interval: 500}).toBe(before);
			expect(await applying.ended).toBe(4);
			expect(applying.output()).toContain('Change 2 was not confirmed and is rolled back');
			const [last = ''] = (await readState(host)).journal.slice(-1);
			expect(JSON.parse(last)).toMatchObject({
				change: 2,
				what: 'roll back',
				outcome: 'rolled back: it was not confirmed in time',
			});
			await signalWatchdog(host, 'SIGCONT');
			expect(await whatStays(host)).toEqual([]);
		});

		test.each([
			{command: ['check'], result: {}},
			{command: ['undo'], result: {status: 0, stdout: /^Undone: change 2\./}},
			{
				command: ['confirm', 'keep'],
				result: {status: 4, stderr: /^fw-wizard: Change 2 was not confirmed in/},
			},
			{command: ['apply', ...BEFORE], result: {status: 3, stderr: /is stopped: process \d+ \(/}},
		])(
			'and whose program is stopped: $command.0 clears it up before all else',
			async ({command, result}) => {
				const {host, before, applying} = await load('SIGSTOP');
				await timeIsOver(host);
				expect(await rulesOf(host)).not.toBe(before);
				const said = await wizard(host, ...command);
				for (const [name, value] of Object.entries(result)) {
					expect(said[name as 'status'], name).toEqual(
						value instanceof RegExp ? expect.stringMatching(value) : value,
					);
				}

				expect(await rulesOf(host)).toBe(before);
				process.kill(applying.pid, 'SIGCONT');
				expect(await applying.ended).toBe(4);
				expect(await wizardDoes(host, 'undo', '--list')).toMatch(
					/ 1 .* confirmed .*\n +2 .* rolled back /,
				);
				expect(await rulesOf(host)).toBe(before);
				expect(await whatStays(host)).toEqual([]);
			},
		);
	});

	test('and whose program was killed: the wizard clears it up when it starts', async () => {
		const {host, before} = await load('SIGKILL');
		await timeIsOver(host);
		expect(await rulesOf(host)).not.toBe(before);
		const terminal = terminals.start([process.execPath, CLI], host);
		await terminal.waitFor('The firewall of this machine');
		expect(await rulesOf(host)).toBe(before);
		terminal.press('ctrlC');
		await terminal.ended;
	});
});

async function rulesOf(host: Host): Promise<string> {
	return (await readState(host)).rules;
}

/** Waits until others may roll change 2 back in place of the watchdog. */
async function timeIsOver(host: Host): Promise<void> {
	const until = await host.must('cat', ['/var/lib/fw-wizard/changes/2/pending']);
	await expect
		.poll(() => os.uptime(), {timeout: OVERDUE, interval: 100})
		.toBeGreaterThan(Number(until) + WATCHDOG_DELAY);
}

describe('the lock on changes', () => {
	const lab = useLab();

	test('that a stopped apply holds: the next names it, and says how to go on without it', async () => {
		const host = await lab.host();
		await wizardDoes(host, 'apply', ...BEFORE);
		const before = (await readState(host)).rules;
		const applying = await startApply(host, ...SHUT, '--confirm-within', '3600');
		process.kill(applying.pid, 'SIGSTOP');
		const {status, stderr} = await wizard(host, 'apply', ...BEFORE);
		expect({status, stderr}).toEqual({
			status: 3,
			stderr: expect.stringMatching(
				new RegExp(
					`^fw-wizard: Another fw-wizard is changing the firewall, and is stopped: process ${applying.pid} \\(.*apply.*\\)\\n.*kill -CONT ${applying.pid};.*kill -KILL ${applying.pid}, and try again\\n$`,
				),
			),
		});
		await host.must('kill', ['-KILL', `${applying.pid}`]);
		expect(await wizardDoes(host, 'apply', ...BEFORE)).toContain('Confirmed as change 3');
		expect((await readState(host)).rules).toBe(before);
		expect(await whatStays(host)).toEqual([]);
	});

	test('is no hindrance for those who confirm or undo what a stopped apply has loaded', async () => {
		const host = await lab.host();
		await wizardDoes(host, 'apply', ...BEFORE);
		for (const [command, state, status] of [
			['undo', 'rolled back', 4],
			['confirm', 'confirmed', 0],
		] as const) {
			const applying = await startApply(host, ...SHUT, '--confirm-within', '3600');
			process.kill(applying.pid, 'SIGSTOP');
			await wizardDoes(host, command, ...(command === 'confirm' ? ['keep'] : []));
			expect(await wizardDoes(host, 'undo', '--list')).toMatch(new RegExp(` ${state} [^\n]*\n$`));
			process.kill(applying.pid, 'SIGCONT');
			expect(await applying.ended).toBe(status);
		}
	});
});

describe('undo', () => {
	const lab = useLab();

	test('twice at the same moment goes back one change', async () => {
		const host = await lab.host();
		for (const port of [22, 80, 443]) {
			await wizardDoes(host, 'apply', '--role', 'server', '--open', `${port}/tcp`);
		}

		const results = await Promise.all([wizard(host, 'undo'), wizard(host, 'undo')]);
		expect(results.map(({status, stdout}) => ({status, stdout}))).toEqual(
			results.map(() => ({
				status: 0,
				stdout: expect.stringMatching(/^Undone: change 3\./),
			})),
		);
		expect(await wizardDoes(host, 'undo', '--list')).toMatch(
			/1 .* confirmed .*\n.* 2 .* confirmed .*\n.* 3 .* rolled back /,
		);
	});

	test('after one that was killed in the middle goes back one change', async () => {
		const host = await lab.host();
		for (const port of [22, 80, 443]) {
			await wizardDoes(host, 'apply', '--role', 'server', '--open', `${port}/tcp`);
		}

		await host.must('mv', [
			'/var/lib/fw-wizard/changes/3/done',
			'/var/lib/fw-wizard/changes/3/undoing',
		]);
		expect(await wizardDoes(host, 'undo')).toMatch(/^Undone: change 3\./);
		expect(await wizardDoes(host, 'undo', '--list')).toMatch(
			/1 .* confirmed .*\n.* 2 .* confirmed .*\n.* 3 .* rolled back /,
		);
	});
});
