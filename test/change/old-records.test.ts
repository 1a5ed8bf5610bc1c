import process from 'node:process';
import {beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {readAll} from '../_helpers/samples/existing-rules.ts';
import {moveToBoot, type Rules, record, replay} from './old-records.ts';

const {FWW_RECORD_WITH} = process.env;

describe.each(BACKENDS)('changes that version 0.1.0 has recorded, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	let stages: readonly Rules[];

	beforeAll(async () => {
		if (FWW_RECORD_WITH !== undefined) {
			await record(await lab.host({backend}), backend, FWW_RECORD_WITH);
		}
	});

	beforeEach(async () => {
		host = await lab.host({backend});
		stages = await replay(host, backend);
	});

	const files = async () =>
		host.must('sh', [
			'-c',
			'find /etc /var/lib -path "*fw-wizard*" -not -name fw-wizard -not -name journal -not -name lock | sort',
		]);
	const states = async () =>
		JSON.parse(await wizardDoes(host, 'undo', '--list', '--json')).changes.map(
			({id, state}: {id: number; state: string}) => `${id} ${state}`,
		);

	test('are listed', async () => {
		await moveToBoot(host);
		expect(await states()).toEqual(['1 done', '2 done', '3 pending']);
		expect((await wizardDoes(host, 'undo', '--list')).split('\n')).toEqual([
			expect.stringMatching(/^ {3}1 {2}\S+ {2}root {2}\S.* {2}--role server .*--helper ftp/),
			expect.stringMatching(/^ {3}2 {2}\S+ {2}root {2}\S.* {2}.*--existing flush-input$/),
			expect.stringMatching(/^ {3}3 {2}\S+ {2}root {2}\S.* {2}--role workstation .*--no-open$/),
			'',
		]);
	});

	test('are undone one after the other, with the rules of others that they removed', async () => {
		await moveToBoot(host);
		const undone = [];
		for (const stage of [2, 1, 0]) {
			await wizardDoes(host, 'undo');
			undone.push({stage, rules: await readAll(host)});
		}

		expect(undone).toEqual([2, 1, 0].map((stage) => ({stage, rules: stages[stage]})));
		expect(await states()).toEqual(['1 rolled-back', '2 rolled-back', '3 rolled-back']);
		expect(await files()).not.toMatch(/\/etc\//);
		expect((await wizard(host, 'undo')).status).toBe(1);
	});

	test('are undone from a given one on', async () => {
		await moveToBoot(host);
		await wizardDoes(host, 'undo', '--to', '2');
		expect(await readAll(host)).toEqual(stages[1]);
		expect(await states()).toEqual(['1 done', '2 rolled-back', '3 rolled-back']);
	});

	test('are undone with every trace', async () => {
		await moveToBoot(host);
		await wizardDoes(host, 'undo', '--all');
		expect(await readAll(host)).toEqual(stages[0]);
		expect(await files()).toBe('');
	});

	test('are rolled back by the watchdog of that version', async () => {
		await moveToBoot(host);
		await host.must('sh', ['/var/lib/fw-wizard/changes/3/rollback', 'wait', '1']);
		expect(await states()).toEqual(['1 done', '2 done', '3 rolled-back']);
		expect(await readAll(host)).toEqual(stages[2]);
		await wizardDoes(host, 'undo');
		expect(await readAll(host)).toEqual(stages[1]);
	});

	test('count as rolled back after a reboot, where they waited', async () => {
		await moveToBoot(host, 'another');
		expect(await states()).toEqual(['1 done', '2 done', '3 rolled-back']);
	});
});
