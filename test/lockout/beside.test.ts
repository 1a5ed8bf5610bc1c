import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const POLICY = ['--role', 'server', '--open', '22/tcp'];
const BESIDE =
	/^Beside the policy: 3306\/tcp is open from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT, in filter$/m;

describe.each(BACKENDS)("apply beside other programs' rules, %s", (backend) => {
	const lab = useLab();

	const prepare = async (): Promise<Host> => {
		const host = await lab.host({backend});
		await host.must('iptables', [...'-A INPUT -p tcp --dport 3306 -j ACCEPT'.split(' ')]);
		return host;
	};

	test('says what they leave open, before the change is confirmed', async () => {
		const host = await prepare();
		const args = ['apply', ...POLICY, '--confirm-within', '3600'];
		await host.start(process.execPath, [CLI, ...args], BESIDE);
		expect(await wizardDoes(host, 'confirm', 'keep')).toContain('Kept change 1');
	});

	test('says it as well where it confirms at once, and nothing where there are only our own', async () => {
		const host = await prepare();
		expect(await wizardDoes(host, 'apply', ...POLICY)).toMatch(BESIDE);
		await host.must('iptables', [...'-D INPUT -p tcp --dport 3306 -j ACCEPT'.split(' ')]);
		expect(await wizardDoes(host, 'apply', ...POLICY)).not.toContain('Beside the policy');
	});
});
