import {beforeEach, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {startApply, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {readState} from '../_helpers/lab/machine-state.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const BEFORE = ['--role', 'server', '--open', '22/tcp'];
const SHUT = ['--role', 'workstation', '--no-open', '--no-helper'];

describe.each(BACKENDS)('rules that others change while they wait, %s', (backend) => {
	const lab = useLab();
	let host: Host;

	beforeEach(async () => {
		host = await lab.host({backend});
		await wizardDoes(host, 'apply', ...BEFORE);
	});

	const load = async () => startApply(host, ...SHUT, '--confirm-within', '60');

	test.each([
		{what: 'ifupdown has loaded those of the last boot', does: 'sh /etc/fw-wizard/restore'},
		{what: 'INPUT was emptied', does: 'iptables -F INPUT; ip6tables -F INPUT'},
	])('are not kept: a login by other rules shows nothing: $what', async ({does}) => {
		const before = await readState(host);
		const applying = await load();
		await host.must('sh', ['-c', does]);
		expect(await wizard(host, 'confirm', 'keep')).toMatchObject({
			status: 4,
			stdout: '',
			stderr: expect.stringMatching(
				/^fw-wizard: Another program has changed the rules meanwhile\. [^\n]*\nRolled back\. [^\n]*\n$/,
			),
		});
		expect(await applying.ended).toBe(4);
		const {rules, files} = await readState(host);
		expect({rules, files}).toEqual({rules: before.rules, files: before.files});
	});

	test('are kept where it is only their own that others change', async () => {
		const applying = await load();
		const ban = 'iptables -N f2b; iptables -A f2b -s 192.0.2.7 -j DROP; iptables -I INPUT -j f2b';
		await host.must('sh', ['-ec', ban]);
		await wizardDoes(host, 'confirm', 'keep');
		expect(await applying.ended).toBe(0);
		expect((await readState(host)).rules).toMatch(/-A INPUT -j f2b\n-A INPUT -j FW-WIZARD-INPUT\n/);
	});
});
