import process from 'node:process';
import {beforeEach, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import {foreignLines, ownLines, readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

const KEPT_CHANGES = 20;

const POLICIES = [
	['--role', 'workstation'],
	['--role', 'server', '--open', '22/tcp', '--helper', 'ftp'],
	'--role server --open 22/tcp --open 53 --verdict drop --no-helper --published policy'.split(' '),
	['--role', 'server', '--open', '80/tcp limit', '--log', '--helper', 'tftp'],
] as const;

describe.each(mainly('nft'))('undo, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host({backend});
		for (const [program, text] of Object.entries(NEIGHBOURS)) {
			await host.must(`${program}-restore`, [], {input: text});
		}
	});

	/** All that a change changes: the rules, and what the next boot would load. */
	const machine = async () => ({
		rules: withoutEmptyTables(await readSaves(host)),
		files: await host.must('sh', [
			'-c',
			'find /etc/fw-wizard -type f | sort | xargs -r tail -n +1',
		]),
	});

	/** Applies policies, and gives how the machine was before the first and after each. */
	const applyAll = async (policies: ReadonlyArray<readonly string[]>) => {
		await host.must('mkdir', ['-p', '/etc/fw-wizard']);
		const states = [await machine()];
		for (const flags of policies) {
			await wizardDoes(host, 'apply', '--published', 'leave', ...flags);
			states.push(await machine());
		}

		return states;
	};

	const journal = async () => {
		const text = await host.must('cat', ['/var/lib/fw-wizard/journal']);
		return text
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));
	};

	test('goes back one change after the other, and says when there is none', async () => {
		const states = await applyAll(POLICIES);
		for (const state of states.slice(0, -1).reverse()) {
			expect(await wizardDoes(host, 'undo')).toMatch(/^Undone: change \d+\. What it changed is as/);
			expect(await machine()).toEqual(state);
		}

		const {status, stderr} = await wizard(host, 'undo');
		expect(status).toBe(1);
		expect(stderr).toBe(
			`fw-wizard: There is no change to undo\nSee the changes with: node ${CLI} undo --list\n`,
		);
	});

	test('goes back to what was before a change that is named, whatever came after', async () => {
		const states = await applyAll(POLICIES);
		expect(await wizardDoes(host, 'undo', '--to', '2')).toMatch(/^Undone: change 4, 3, 2\./);
		expect(await machine()).toEqual(states[1]);
		expect((await wizard(host, 'undo', '--to', '3')).status).toBe(1);
		expect((await wizard(host, 'undo', '--to', 'two')).status).toBe(2);
		expect(await machine()).toEqual(states[1]);
	});

	test('lists the changes, and keeps a journal', async () => {
		await applyAll(POLICIES.slice(0, 2));
		await wizardDoes(host, 'undo');
		const list = await wizardDoes(host, 'undo', '--list');
		expect(list.split('\n')).toEqual([
			expect.stringMatching(/^ {3}1 {2}\S+ {2}root {2}confirmed {2}--role workstation/),
			expect.stringMatching(/^ {3}2 {2}\S+ {2}root {2}rolled back {2}--role server .*ftp/),
			'',
		]);
		expect(JSON.parse(await wizardDoes(host, 'undo', '--list', '--json')).changes).toMatchObject([
			{id: 1, who: 'root', state: 'done'},
			{id: 2, who: 'root', state: 'rolled-back'},
		]);
		const entry = (change: number, what: string, outcome: string) => ({
			time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
			change,
			who: 'root',
			what,
			outcome,
		});
		expect(await journal()).toEqual([
			entry(1, 'confirm', 'kept'),
			entry(2, 'confirm', 'kept'),
			entry(2, 'undo', 'rolled back: undone'),
		]);
	});

	// How many they are does not depend on the backend. So many changes take as long as all other tests here.
	test.each([KEPT_CHANGES].slice(backend === 'nft' ? rounds(1, 0) : 1))(
		'remembers the last %i changes',
		async (kept) => {
			const more = 2;
			const policies = Array.from({length: kept + more}, (_, index) => [
				...['--role', 'server', '--no-helper', '--open', `${1000 + index}/tcp`],
				// What is counted here is how many are kept.
				...['--no-rehearsal', '--boot', 'none'],
			]);
			const states = await applyAll(policies);
			const list = await wizardDoes(host, 'undo', '--list');
			expect(list.trimEnd().split('\n')).toHaveLength(kept);
			expect((await wizard(host, 'undo', '--to', `${more}`)).status).toBe(1);
			expect(await machine()).toEqual(states.at(-1));
			await wizardDoes(host, 'undo', '--to', `${more + 1}`);
			expect(await machine()).toEqual(states[more]);
		},
		180_000,
	);

	test('leaves what other programs have done since', async () => {
		await applyAll(POLICIES.slice(1, 2));
		await host.must('iptables', ['-I', 'INPUT', '-s', '192.0.2.9', '-j', 'DROP']);
		await host.must('iptables', ['-D', 'f2b-sshd', '1']);
		await host.must('ip6tables', ['-t', 'raw', '-A', 'OUTPUT', '-p', 'udp', '-j', 'ACCEPT']);
		const before = await readSaves(host);
		await wizardDoes(host, 'undo');
		const after = await readSaves(host);
		expect(foreignLines(after.ipv4)).toEqual(foreignLines(before.ipv4));
		expect(foreignLines(after.ipv6)).toEqual(foreignLines(before.ipv6));
		expect([...ownLines(after.ipv4), ...ownLines(after.ipv6)]).toEqual([]);
	});

	test.each([{waiting: true}, {waiting: false}])(
		'--all leaves no trace, with a change that waits: $waiting',
		async ({waiting}) => {
			const traces = async () => ({
				rules: withoutEmptyTables(await readSaves(host)),
				files: await host.must('find', ['/etc', '/var/lib', '-not', '-path', '/var/lib/fww*']),
			});
			const before = await traces();
			for (const flags of POLICIES.slice(1)) {
				await wizardDoes(host, 'apply', '--published', 'leave', ...flags);
			}

			if (waiting) {
				await apply(host, '--role', 'workstation', '--confirm-within', '60');
			}

			expect(await traces()).not.toEqual(before);
			expect(await wizardDoes(host, 'undo', '--all')).toMatch(/^Every trace of fw-wizard is rem/);
			expect(await traces()).toEqual(before);
			expect(await whatStays(host)).toEqual([]);
		},
	);

	test('from elsewhere ends the wait of apply, status 4', async () => {
		const [before] = await applyAll([]);
		const applying = await apply(host, '--role', 'server', '--confirm-within', '60');
		expect(await machine()).not.toEqual(before);
		expect(await wizardDoes(host, 'undo')).toMatch(/^Undone: change 1\./);
		expect(await machine()).toEqual(before);
		expect(await applying.ended).toBe(4);
		expect(applying.output()).toContain('Change 1 was not confirmed and is rolled back');
	});

	test('is not needed after a kill -9: the next apply takes the lock, and rolls back', async () => {
		const [before] = await applyAll([]);
		const applying = await apply(host, '--role', 'server', '--confirm-within', '3600');
		expect(
			(await wizard(host, 'apply', '--role', 'workstation', '--published', 'leave')).status,
		).toBe(3);
		process.kill(applying.pid, 'SIGKILL');
		await wizardDoes(host, 'apply', '--role', 'workstation', '--published', 'leave');
		expect((await journal())[0]).toMatchObject({change: 1, outcome: 'rolled back: it was cut off'});
		await wizardDoes(host, 'undo');
		expect(await machine()).toEqual(before);
		expect(await whatStays(host)).toEqual([]);
	});
});

/** Applies rules that wait to be confirmed, up to the moment when they do. */
async function apply(host: Host, ...flags: readonly string[]) {
	return startApply(host, '--published', 'leave', ...flags);
}
