import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

const SERVER = ['--role', 'server', '--verdict', 'drop', '--open', '22/tcp'];
const WITH_HELPER = [...SERVER, '--helper', 'ftp'];
/** One line on what happened, one on what to do. */
const TWO_LINES = /^[^\n]+\n[^\n]+\n$/;

const folder = mkdtempSync(path.join(os.tmpdir(), `fww-test-${process.pid}-`));
afterAll(() => rmSync(folder, {recursive: true}));

describe.each(BACKENDS)('apply where it cannot be done, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host({backend});
		await wizardDoes(host, 'apply', '--role', 'workstation');
		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
	});

	test('refuses with status 2 where no policy is given and none was applied', async () => {
		const bare = await lab.host({backend});
		const before = await readSaves(bare);
		const {status, stdout, stderr} = await wizard(bare, 'apply');
		expect({status, stdout}).toEqual({status: 2, stdout: ''});
		expect(stderr).toMatch(/^fw-wizard: No policy was given\n[^\n]+\n$/);
		expect(await readSaves(bare)).toEqual(before);
	});

	test.each([
		{flags: ['--role', 'toaster']},
		{flags: ['--role', 'server', '--open', '70000/tcp']},
		{flags: ['--role', 'server', '--open', '22/tcp on eth0;reboot']},
		{flags: ['--role', 'server', '--helper', 'nonsense']},
		{flags: ['--role', 'server', '--policy', '/nonexistent']},
		{flags: ['--nonsense']},
	])('refuses wrong usage with status 2, %#', async ({flags}) => {
		const before = await readSaves(host);
		const {status, stdout, stderr} = await wizard(host, 'apply', ...flags);
		expect({status, stdout}).toEqual({status: 2, stdout: ''});
		expect(stderr).toMatch(TWO_LINES);
		expect(await readSaves(host)).toEqual(before);
	});

	test.each([
		{who: 'another user', as: ['--reuid=nobody', '--regid=nogroup', '--clear-groups'], out: /^$/},
		{
			who: 'root without the right to',
			as: ['--bounding-set=-net_admin', '--inh-caps=-net_admin'],
			// The rules in print, for who can load them from outside.
			out: /^# iptables-restore --noflush\n\*filter\n/,
		},
	])('stops with status 3 as $who', async ({as, out}) => {
		const before = await readSaves(host);
		// The user may have no right to look into the folder of the project.
		const program = path.join(host.folder, 'cli.js');
		cpSync(CLI, program);
		await host.must('chmod', ['755', host.folder]);
		const {status, stdout, stderr} = await host.run('setpriv', [
			...[...as, '--', process.execPath, program],
			...['apply', ...SERVER],
		]);
		expect(status).toBe(3);
		expect(stdout).toMatch(out);
		expect(stderr).toMatch(TWO_LINES);
		expect(await readSaves(host)).toEqual(before);
	});

	test('in a rehearsal changes nothing here', async () => {
		const before = await readSaves(host);
		expect(await wizardDoes(host, 'apply', ...SERVER, '--rehearse')).toMatch(/IPv4.*IPv6/);
		expect(await readSaves(host)).toEqual(before);
	});
});

describe.each(BACKENDS)('root that may load rules and make no namespaces, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	const run = async (...args: readonly string[]) =>
		host.run('setpriv', [
			...['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--'],
			...[process.execPath, CLI, ...args],
		]);

	beforeAll(async () => {
		host = await lab.host({backend});
	});

	test('is told how to load them without a trial, status 3', async () => {
		const before = await readSaves(host);
		const {status, stderr} = await run('apply', ...SERVER, '--yes');
		expect({status, stderr}).toEqual({status: 3, stderr: expect.stringMatching(TWO_LINES)});
		expect(stderr).toMatch(/no network namespaces.*\n.*Nothing was changed.*--no-rehearsal/);
		expect(await readSaves(host)).toEqual(before);
	});

	test.each([{existing: 'keep'}, {existing: 'flush-input'}])(
		'loads, confirms and undoes without one, --existing $existing',
		async ({existing}) => {
			await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
			const before = await readSaves(host);
			const flags = [...SERVER, '--existing', existing, '--yes', '--no-rehearsal'];
			expect(await run('apply', ...flags)).toMatchObject({status: 0});
			expect(await host.must('iptables', ['-S', 'INPUT'])).toContain('-j FW-WIZARD-INPUT');
			expect(await run('undo')).toMatchObject({status: 0});
			expect(withoutEmpty(await readSaves(host))).toEqual(withoutEmpty(before));
		},
	);

	test('proves nothing, status 3', async () => {
		const {status, stderr} = await run('prove', ...SERVER);
		expect({status, stderr}).toEqual({status: 3, stderr: expect.stringMatching(TWO_LINES)});
		expect(stderr).toContain('no network namespaces');
	});
});

describe('apply beside rules that iptables cannot read', () => {
	const lab = useLab();

	test('touches nothing, status 3', async () => {
		const host = await lab.host({backend: 'nft'});
		const lines = [
			'add table ip filter',
			'add chain ip filter other',
			'add rule ip filter other ct mark 5 meta cgroup 7 counter accept',
		];
		await host.must('nft', ['-f', '-'], {input: `${lines.join('\n')}\n`});
		const before = await host.must('nft', ['list', 'ruleset']);
		const {status, stderr} = await wizard(host, 'apply', ...SERVER);
		expect(status).toBe(3);
		expect(stderr).toMatch(
			/^fw-wizard: iptables-save cannot read the rules: .*\nSee them with: nft list ruleset\n$/m,
		);
		expect(await host.must('nft', ['list', 'ruleset'])).toBe(before);
	});
});

describe.each(BACKENDS)('apply where IPv6 takes no helper, %s', (backend) => {
	const lab = useLab();

	test('finds it out in the dry run and touches nothing, status 3', async () => {
		const host = await lab.host({backend, replaced: failing(backend, 'everywhere')});
		await wizardDoes(host, 'apply', '--role', 'workstation');
		const before = await readSaves(host);
		const files = await host.must('find', ['/etc/fw-wizard', '/var/lib/fw-wizard']);
		const {status, stderr} = await wizard(host, 'apply', ...WITH_HELPER);
		expect(status).toBe(3);
		expect(stderr).toMatch(TWO_LINES);
		expect(stderr).toMatch(
			/^fw-wizard: This kernel does not take the rules\. IPv6: .*line \d+.* failed/,
		);
		expect(stderr).toContain('"-A FW-WIZARD-OUTPUT -p tcp --dport 21 -j CT --helper ftp"');
		expect(await readSaves(host)).toEqual(before);
		expect(await host.must('find', ['/etc/fw-wizard', '/var/lib/fw-wizard'])).toBe(files);
	});

	test.each([
		{before: 'an empty machine', policies: []},
		{before: 'another policy', policies: [['--role', 'server', '--open', '53', '--log']]},
		{
			before: 'another policy with a helper',
			policies: [['--role', 'server', '--open', '25/tcp limit', '--helper', 'tftp']],
		},
	])('puts both families back as they were, status 4: $before', async ({policies}) => {
		const here = path.join(folder, `here-${backend}`);
		const host = await lab.host({backend, replaced: failing(backend, here)});
		writeFileSync(here, await host.must('readlink', ['/proc/self/ns/net']));
		for (const flags of policies) {
			await wizardDoes(host, 'apply', ...flags);
		}

		await host.must('iptables', ['-A', 'INPUT', '-s', '192.0.2.7', '-j', 'DROP']);
		const before = await readSaves(host);
		const {status, stderr} = await wizard(host, 'apply', ...WITH_HELPER);
		expect(status).toBe(4);
		expect(stderr).toMatch(TWO_LINES);
		expect(stderr).toMatch(/^fw-wizard: IPv6: .*line \d+.* at "/);
		expect(stderr).toContain('The rules are as they were before');
		expect(withoutEmpty(await readSaves(host))).toEqual(withoutEmpty(before));
	});
});

/**
 * An ip6tables-restore that asks the kernel for a helper that it lacks, in the network namespace
 * that a file names, or everywhere. All else is the real program and the real kernel's refusal.
 */
function failing(backend: Backend, where: string): Readonly<Record<string, string>> {
	const script = path.join(folder, `restore-${path.basename(where)}-${backend}`);
	const condition =
		where === 'everywhere' ? 'true' : `[ "$(readlink /proc/self/ns/net)" = "$(cat ${where})" ]`;
	const lines = [
		'#!/bin/sh',
		`if ${condition}; then name=nosuch; else name=ftp; fi`,
		`sed "s/--helper ftp/--helper $name/" | /usr/sbin/ip6tables-${backend}-restore "$@"`,
	];
	writeFileSync(script, `${lines.join('\n')}\n`, {mode: 0o755});
	return {'ip6tables-restore': script};
}

/** Tables come into being when they are first used, and stay: an empty one says nothing. */
function withoutEmpty(saves: {ipv4: string; ipv6: string}): readonly string[] {
	return Object.values(saves).map((text) =>
		text.replace(/^\*\w+\n(:\w+ ACCEPT \[0:0\]\n)*COMMIT\n/gm, ''),
	);
}
