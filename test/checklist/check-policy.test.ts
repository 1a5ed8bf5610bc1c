import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';

const POLICY = '/etc/fw-wizard/policy.json';

describe('the checklist', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '22/tcp');
	});

	const store = (text: string) => writeFileSync(inView(host, POLICY), text);

	describe('of the policy', () => {
		let whole = '';

		beforeEach(() => {
			whole ||= readFileSync(inView(host, POLICY), 'utf8');
		});

		test.each([
			{fault: 'cut off', spoil: (text: string) => text.slice(0, text.length / 2)},
			{fault: 'empty', spoil: () => ''},
			{fault: 'an unknown field', spoil: (text: string) => text.replace('{', '{"colour": "red",')},
			{fault: 'not JSON', spoil: () => 'server'},
		])('finds it, and mends nothing by guessing: $fault', async ({spoil}) => {
			store(spoil(whole));
			const before = await readSaves(host);
			for (const flags of [[], ['--fix']]) {
				const {status, failed, items} = await readChecklist(host, ...flags);
				expect({status, ids: Object.keys(failed)}).toEqual({status: 1, ids: ['policy']});
				expect(failed.policy).toMatch(/./);
				expect(items.policy?.mendable).toBeUndefined();
			}

			expect(await readSaves(host)).toEqual(before);
			store(whole);
			expect(await readChecklist(host)).toMatchObject({status: 0, failed: {}});
		});

		test('finds that there is none', async () => {
			const empty = await lab.host();
			const {status, failed} = await readChecklist(empty);
			expect({status, failed}).toEqual({
				status: 1,
				failed: {policy: 'none was applied and confirmed'},
			});
		});
	});

	describe('of what only the user can do', () => {
		test('remembers what is ticked off', async () => {
			expect((await readChecklist(host, '--tick', 'scanned')).items).toMatchObject({
				scanned: {state: 'ok'},
				'way-in': {state: 'open'},
			});
			await readChecklist(host, '--tick', 'way-in');
			expect((await readChecklist(host)).items).toMatchObject({
				scanned: {state: 'ok'},
				'way-in': {state: 'ok'},
			});
		});

		test('refuses to tick off anything else', async () => {
			const {status, stderr} = await wizard(host, 'check', '--tick', 'survived');
			expect(status).toBe(2);
			expect(stderr).toMatch(/^[^\n]+\n[^\n]+\n$/);
		});

		test('bears ticks that are damaged', async () => {
			for (const text of ['{', '[1, "scanned", null]']) {
				writeFileSync(inView(host, '/var/lib/fw-wizard/ticks.json'), text);
				const {status, items} = await readChecklist(host);
				expect({status, scanned: items.scanned?.state}).toEqual({
					status: 0,
					scanned: text.includes('scanned') ? 'ok' : 'open',
				});
			}
		});

		test('prints a line for each, with what to do', async () => {
			mkdirSync(inView(host, '/etc/ufw'), {recursive: true});
			writeFileSync(inView(host, '/etc/ufw/ufw.conf'), 'ENABLED=yes\n');
			const {status, stdout} = await wizard(host, 'check');
			rmSync(inView(host, '/etc/ufw'), {recursive: true});
			expect(status).toBe(1);
			expect(stdout).toContain('ok      the policy is stored and readable\n');
			expect(stdout).toMatch(
				/^failed {2}no other firewall overwrites it\n {8}ufw is enabled.*\n {8}-> ufw disable$/m,
			);
			expect(stdout).toMatch(/^open {4}the rules have survived a boot$/m);
		});
	});
});
