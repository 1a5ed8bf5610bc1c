import process from 'node:process';
import {describe, expect, test} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {KEPT_POLICY, keptRules, runKept} from '../_helpers/samples/kept-rules.ts';

const FAILED = ({state}: Item) => state === 'failed';

describe.each(mainly('legacy'))("apply beside other programs' rules, %s", (backend) => {
	const lab = useLab();
	const kept = keptRules(backend);

	test('says before it loads what they open and block, and check tells what is new', async () => {
		const host = await lab.host({backend});
		for (const {command} of kept) {
			await runKept(host, command);
		}

		const {status, stderr} = await wizard(host, 'apply', ...KEPT_POLICY);
		expect(status).toBe(0);
		for (const {said} of kept) {
			expect(stderr).toContain(`Beside the policy: ${said}`);
		}

		const {failed, items} = await readChecklist(host);
		expect(failed).toEqual({});
		expect(items.known?.state).toBe('ok');
		expect(items.known?.cause).toContain(kept[0]?.said);

		// A repair accepts nothing in the name of the user.
		await runKept(host, 'iptables -I INPUT -p tcp --dport 5432 -j ACCEPT');
		await runKept(host, 'iptables -F FW-WIZARD-INPUT');
		// It checks twice, and applies.
		const args = [CLI, 'check', '--fix', '--json'];
		const repair = await host.run(process.execPath, args, {timeout: 180_000});
		const mended = JSON.parse(repair.stdout).items as readonly Item[];
		expect(mended.filter(FAILED)).toEqual([
			expect.objectContaining({
				id: 'reached',
				cause:
					'5432/tcp is open from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 5432 -j ACCEPT, in filter',
			}),
		]);
		expect(mended.find(({id}) => id === 'known')?.cause).toContain(kept[0]?.said);
	}, 300_000);

	test('says it before the user confirms, and nothing of what is removed', async () => {
		const host = await lab.host({backend});
		await runKept(host, kept[0]?.command ?? '');
		const args = ['apply', ...KEPT_POLICY, '--confirm-within', '3600'];
		const said = /^Beside the policy: 3306\/tcp is open [\s\S]*The old rules are restored/m;
		await host.start(process.execPath, [CLI, ...args], said);
		expect(await wizardDoes(host, 'confirm', 'keep')).toContain('Confirmed change 1');
		const flush = ['--existing', 'flush-input'];
		expect((await wizard(host, 'apply', ...KEPT_POLICY, ...flush)).stderr).not.toContain('Beside');
	}, 300_000);
});
