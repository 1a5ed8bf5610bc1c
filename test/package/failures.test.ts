import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const SERVER = ['--role', 'server', '--open', '22/tcp', '--boot', 'none'];
const LOCK = '/var/lib/fw-wizard/lock';
const IPTABLES = '/usr/sbin/iptables-restore';
const NOBODY = ['runuser', '-u', 'nobody', '--'];

type Case = {
	readonly what: string;
	readonly args: readonly string[];
	readonly user?: 'nobody';
	readonly status: number;
	readonly code: string;
	readonly message: RegExp;
	readonly advice: RegExp;
};

describe('a failure of the built program', () => {
	const lab = useLab();
	let host: Host;
	let folder = '';
	const file = (name: string) => path.join(folder, name);

	beforeAll(async () => {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fww-test-'));
		chmodSync(folder, 0o755);
		writeFileSync(file('bad.json'), '{"version": 1,');
		writeFileSync(file('unreadable.json'), '{}', {mode: 0o600});
		host = await lab.host();
	});
	afterAll(() => rmSync(folder, {recursive: true}));

	/** Runs it plain and with --json: both say the same, with the same exit code. */
	const fails = async ({args, user, status, code, message, advice}: Omit<Case, 'what'>) => {
		const words = [...(user === undefined ? [] : NOBODY), process.execPath, CLI, ...args];
		const [program = '', ...rest] = words;
		const plain = await host.run(program, rest);
		expect(plain).toMatchObject({status, stdout: ''});
		const [first = '', second = '', ...others] = plain.stderr.split('\n');
		expect(others).toEqual(['']);
		expect(first).toMatch(/^fw-wizard: /);
		expect(first).toMatch(message);
		expect(second).toMatch(advice);
		expect(plain.stderr).not.toMatch(/\bE[A-Z]{4,}\b|\n {4}at /);

		const json = await host.run(program, [...rest, '--json']);
		expect(json.status).toBe(status);
		expect(JSON.parse(json.stdout)).toEqual({
			error: {message: first.slice('fw-wizard: '.length), advice: second, code},
		});
		return second;
	};

	const cases = (): readonly Case[] => [
		{
			what: 'a missing file',
			args: ['rules', '--policy', file('none.json')],
			...{status: 2, code: 'usage', message: /none\.json: no such file/, advice: /JSON file/},
		},
		{
			what: 'a file that the user may not read',
			args: ['rules', '--policy', file('unreadable.json')],
			user: 'nobody',
			...{status: 2, code: 'usage', message: /permission denied$/, advice: /may read/},
		},
		{
			what: 'a folder in place of a file',
			args: ['rules', '--policy', folder],
			...{status: 2, code: 'usage', message: /it is a folder, not a file$/, advice: /JSON file/},
		},
		{
			what: 'bad JSON',
			args: ['rules', '--policy', file('bad.json')],
			...{
				status: 2,
				code: 'usage',
				message: /The policy is not JSON/,
				advice: /rules --role server/,
			},
		},
		{
			what: 'a wrong flag',
			args: ['rules', '--rol', 'server'],
			...{status: 2, code: 'usage', message: /unknown option '--rol'/, advice: /--role/},
		},
		{
			what: 'a wrong value',
			args: ['rules', '--role', 'router'],
			...{status: 2, code: 'usage', message: /'router' is invalid/, advice: /workstation, server/},
		},
		{
			what: 'an unknown command',
			args: ['rulez'],
			...{status: 2, code: 'usage', message: /unknown command 'rulez'/, advice: /mean rules\?/},
		},
		{
			what: 'a user who is not root',
			args: ['undo'],
			user: 'nobody',
			...{
				status: 3,
				code: 'not-root',
				message: /Only root/,
				advice: /^(As root, run|Run): .+ undo/,
			},
		},
		{
			what: 'nothing to confirm',
			args: ['confirm'],
			...{status: 1, code: 'failed', message: /No change waits/, advice: /cli\.js undo --list$/},
		},
	];

	test.each([...Array(9).keys()])('number %i', async (index) => {
		const one = cases()[index];
		expect(one).toBeDefined();
		await fails(one as Case);
	});

	test('while another fw-wizard changes the firewall names its process', async () => {
		await host.must('sh', ['-c', `mkdir -p -m 700 ${path.dirname(LOCK)} && touch ${LOCK}`]);
		const holder = await host.start(
			'flock',
			[LOCK, 'sh', '-c', 'echo held; exec sleep 60'],
			/held/,
		);
		await fails({
			args: ['apply', ...SERVER, '--yes'],
			...{status: 3, code: 'busy', message: /Another fw-wizard/, advice: /^Wait for it/},
		});
		await holder.stop();
	});

	test('without iptables says how to install it', async () => {
		await host.must('mount', ['--bind', '/dev/null', IPTABLES]);
		await fails({
			args: ['apply', ...SERVER, '--yes'],
			...{
				status: 3,
				code: 'no-iptables',
				message: /is not installed/,
				advice: /^Install it: apt-get/,
			},
		});
		await host.must('umount', [IPTABLES]);
	});
});
