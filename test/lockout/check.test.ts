import {beforeEach, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {startApply, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState, strayNames} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {whatStays} from '../_helpers/lab/processes.ts';
import {signalWatchdog} from '../_helpers/lab/watchdogs.ts';

const CHANGE = '/var/lib/fw-wizard/changes/2';

describe('fw-wizard check beside a change', () => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host();
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
	});

	const apply = async () =>
		startApply(host, '--role', 'workstation', '--no-open', '--confirm-within', '3600');

	test.each([
		{maker: 'still runs', lives: true},
		{maker: 'is gone', lives: false},
	])('that waits, and whose maker $maker: says so, and lets it be', async ({lives}) => {
		const applying = await apply();
		// The first check leaves what it found.
		await readChecklist(host);
		const before = await readState(host);
		if (!lives) {
			applying.kill();
		}

		expect((await readChecklist(host)).failed.waiting).toBe('change 2 does');
		expect(await readState(host)).toEqual(before);
		expect(await wizardDoes(host, 'confirm', 'keep')).toContain('Confirmed change 2');
		expect((await readChecklist(host)).failed).toEqual({});
	});

	test('that was cut off: puts the old rules back, and leaves nothing', async () => {
		const before = await readState(host);
		const applying = await apply();
		applying.kill();
		await signalWatchdog(host, 'SIGKILL');
		// As if it had been killed before it had read them back: nobody can confirm it.
		await host.must('rm', [`${CHANGE}/loaded`]);
		expect((await readState(host)).rules).not.toBe(before.rules);
		expect((await readChecklist(host)).failed).toEqual({});
		const after = await readState(host);
		expect({rules: after.rules, files: after.files}).toEqual({
			rules: before.rules,
			files: before.files,
		});
		expect(strayNames(after)).toEqual([]);
		expect(await whatStays(host)).toEqual([]);
	});

	test('that was decided and not finished: finishes it', async () => {
		const applying = await apply();
		applying.kill();
		await host.must('mv', [`${CHANGE}/pending`, `${CHANGE}/kept`]);
		await host.must('cp', ['/etc/fw-wizard/restore', '/etc/fw-wizard/restore.123']);
		expect((await readChecklist(host)).failed).toEqual({});
		const {names, files} = await readState(host);
		expect(files).toContain('"role": "workstation"');
		expect(names).toContain(`${CHANGE}/done`);
		expect(strayNames({...(await readState(host)), names})).toEqual([]);
	});
});
