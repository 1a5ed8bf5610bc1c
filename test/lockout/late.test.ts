import {chmodSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {readSaves, withoutEmptyTables} from '../_helpers/samples/saves.ts';

/** What holds the loading of the second change up, by a program that stands for one of iptables. */
const DELAYS = [
	{
		what: 'another program holds the lock of iptables',
		program: 'iptables-restore',
		does: 'sleep 13',
		flags: [],
	},
	{
		what: 'what takes away the rules of others has to wait',
		program: 'ip6tables-restore',
		does: 'sleep 13',
		flags: ['--existing', 'flush-input'],
	},
	{
		what: 'the program is stopped before it loads',
		// What it reads last before it loads, to see that nothing has changed.
		program: 'iptables-save',
		does: 'kill -STOP $PPID && { (sleep 13; kill -CONT $PPID) >/dev/null 2>&1 & }',
		flags: ['--existing', 'flush-input'],
	},
] as const;

describe.each(mainly('nft'))('rules whose turn comes when their time is over, %s', (backend) => {
	const lab = useLab();

	test.concurrent.each(DELAYS)('do not stay: $what', async ({program, does, flags}) => {
		const host = await lab.host({backend});
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
		await host.must('ip6tables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '25', '-j', 'ACCEPT']);
		const before = await readSaves(host);
		const slow = path.join(host.folder, 'slow');
		const real = `/usr/sbin/${program.replace(/(?<=tables)/, `-${backend}`)}`;
		const waits = '[ -e /var/lib/fw-wizard/changes/*/pending ]';
		writeFileSync(slow, `#!/bin/sh\n${waits} && ${does}\nexec ${real} "$@"\n`);
		chmodSync(slow, 0o755);
		await host.must('ln', ['-sfn', slow, `/etc/alternatives/${program}`]);
		const policy = ['--role', 'workstation', '--no-open', ...flags];
		const {status, stderr} = await wizard(host, 'apply', ...policy, '--confirm-within', '10');
		expect({status, stderr}).toEqual({
			status: 4,
			stderr: expect.stringMatching(
				/^fw-wizard: Loading took longer than the time to confirm\nRolled back\./m,
			),
		});
		expect(await whatStays(host, undefined, 20_000)).toEqual([]);
		expect(withoutEmptyTables(await readSaves(host))).toEqual(withoutEmptyTables(before));
	});
});

describe('a lock of iptables that another program keeps', () => {
	const lab = useLab();

	test('is called by its name, and nothing is loaded', async () => {
		const host = await lab.host({backend: 'legacy'});
		const file = host.variables.XTABLES_LOCKFILE ?? '/run/xtables.lock';
		const holder = await host.start(
			'flock',
			[file, 'sh', '-c', 'echo held; exec sleep 60'],
			/held/,
		);
		const {status, stderr} = await wizard(host, 'apply', '--role', 'server', '--yes');
		await holder.stop();
		expect({status, stderr}).toEqual({
			status: 3,
			stderr: expect.stringMatching(
				/^fw-wizard: Another program holds the lock of iptables, .*\nNothing was changed\./,
			),
		});
		expect(JSON.stringify(await readSaves(host))).not.toContain('FW-WIZARD');
	});
});
