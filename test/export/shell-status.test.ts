import {readFileSync, writeFileSync} from 'node:fs';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {execute} from '../_helpers/lab/programs.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {FLAGS} from '../_helpers/ui/journey.ts';
import {SCRIPT} from './exported.ts';

const WELL = {
	...{version: 1, well: true, waits: null, ipv4: true, ipv6: true, next_boot: true, watch: true},
	...{drift: [], foreign: [], before: [], firewalls: []},
};
const UNITS = '/etc/systemd/system';
const file = (name: string) => `not kept: ${name} is missing, or not that of this script`;

/** What somebody does, and what status says of it. */
const DRIFTS = [
	[
		'a rule of somebody in our chain',
		'iptables -I FW-WIZARD-INPUT -s 203.0.113.9 -j ACCEPT',
		{
			ipv4: false,
			drift: ['IPv4: FW-WIZARD-INPUT: added: -A FW-WIZARD-INPUT -s 203.0.113.9/32 -j ACCEPT'],
		},
	],
	[
		'a chain that was emptied',
		'ip6tables -F FW-WIZARD-INPUT',
		{ipv6: false, drift: ['IPv6: FW-WIZARD-INPUT is gone or empty']},
	],
	[
		'a jump that was removed',
		'iptables -D INPUT -j FW-WIZARD-INPUT',
		{ipv4: false, drift: ['IPv4: INPUT has no jump to FW-WIZARD-INPUT']},
	],
	[
		'a rule that was put last',
		`rule=$(iptables -S FW-WIZARD-INPUT | sed -n 's/^-A //p' | head -1); iptables -D $rule; iptables -A $rule`,
		{ipv4: false, drift: ['IPv4: FW-WIZARD-INPUT has its rules in another order']},
	],
	[
		'a unit that was disabled',
		'systemctl disable fw-wizard.service',
		{next_boot: false, drift: [file(`${UNITS}/multi-user.target.wants/fw-wizard.service`)]},
	],
	[
		'a unit that was masked',
		`rm ${UNITS}/fw-wizard.service; ln -s /dev/null ${UNITS}/fw-wizard.service`,
		{next_boot: false, drift: [file(`${UNITS}/fw-wizard.service`)]},
	],
	[
		'a damaged boot script, beside a rule that is gone',
		'echo exit >>/etc/fw-wizard/restore; ip6tables -D FW-WIZARD-INPUT 1',
		{
			...{ipv6: false, next_boot: false},
			drift: [
				file('/etc/fw-wizard/restore'),
				expect.stringMatching(/^IPv6: FW-WIZARD-INPUT: removed: -A FW-WIZARD-INPUT /),
			],
		},
	],
	[
		'a watch that does not start any more',
		`rm /etc/fw-wizard/watch ${UNITS}/timers.target.wants/fw-wizard-watch.timer`,
		{
			watch: false,
			drift: [
				file('/etc/fw-wizard/watch'),
				file(`${UNITS}/timers.target.wants/fw-wizard-watch.timer`),
			],
		},
	],
] as const;

describe.each(mainly('nft'))('status of the exported script, %s', (backend) => {
	const lab = useLab();
	let host: Host;
	const sh = async (text: string) => host.must('sh', ['-ec', text]);
	const run = async (...words: readonly string[]) => host.run('sh', [SCRIPT, ...words]);
	const status = async () => {
		const {status, stdout, stderr} = await run('status', '--json');
		const told = JSON.parse(stdout);
		expect({status, stderr}).toEqual({status: told.well ? 0 : 1, stderr: ''});
		return told;
	};
	const repair = async () => {
		expect(await run()).toMatchObject({status: 0});
		expect(await run('keep')).toMatchObject({status: 0});
		expect(await status()).toEqual(WELL);
	};
	const traces = async () =>
		sh(
			`find /etc /var/lib /run -path '*fw-wizard*' ! -name '*.lock' | sort; iptables-save; ip6tables-save`,
		);

	beforeAll(async () => {
		host = await lab.host({backend});
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		writeFileSync(inView(host, SCRIPT), await wizardDoes(host, 'export', 'shell', ...FLAGS));
	});

	test('on a machine without any of it, status names what is missing, and leaves no trace', async () => {
		const before = await traces();
		// As Ansible does: nothing is copied to the machine.
		const {status, stdout} = await host.run('sh', ['-s', 'status', '--json'], {
			input: readFileSync(inView(host, SCRIPT), 'utf8'),
		});
		const told = JSON.parse(stdout);
		expect(status).toBe(1);
		expect(told).toMatchObject({
			...{well: false, waits: null, ipv4: false, ipv6: false, next_boot: false, watch: false},
			drift: expect.arrayContaining([
				file('/etc/fw-wizard/restore'),
				file(`${UNITS}/fw-wizard.service`),
				expect.stringMatching(/^not loaded: iptables has no /),
				expect.stringMatching(/^not loaded: ip6tables has no /),
			]),
		});
		expect(await traces()).toBe(before);
	});

	test('a change that waits is told with its seconds, and a kept one has all well', async () => {
		expect(await run()).toMatchObject({status: 0});
		const waiting = await status();
		expect(waiting).toMatchObject({well: false, ipv4: true, ipv6: true, next_boot: false});
		expect(waiting.waits).toBeGreaterThan(30);
		expect(await run('keep')).toMatchObject({status: 0});
		expect(await status()).toEqual(WELL);
		expect(await run('status')).toMatchObject({status: 0, stderr: 'fw-wizard: kept and loaded\n'});
	});

	test.each(DRIFTS)('%s is found, and mended', async (_, command, expected) => {
		await sh(command);
		const told = await status();
		expect(told).toEqual({...WELL, well: false, ...expected});
		const plain = await run('status');
		expect(plain).toMatchObject({
			status: 1,
			stderr: told.drift.map((text: string) => `fw-wizard: ${text}\n`).join(''),
		});
		await repair();
	});

	test('a rule of somebody before the jump is told, and left alone', async () => {
		const rule =
			'INPUT -s 203.0.113.7/32 -p tcp -m comment --comment "a \\"quoted\\"?one: iptables cannot print it" -j ACCEPT';
		await host.must('iptables', [
			...['-I', 'INPUT', '-s', '203.0.113.7', '-p', 'tcp', '-m', 'comment'],
			...['--comment', 'a "quoted"\tone: iptables cannot print it', '-j', 'ACCEPT'],
		]);
		expect(await status()).toEqual({
			...WELL,
			well: false,
			foreign: [`IPv4: before our rules: -A ${rule}`],
			before: [`iptables -A ${rule}`],
		});
		await host.must('iptables', ['-D', 'INPUT', '1']);
		expect(await status()).toEqual(WELL);
	});

	test('the watch is there, finds nothing, reports drift, and goes with the rest', async () => {
		await host.must('sh', ['/etc/fw-wizard/watch', 'look']);
		await sh('iptables -F FW-WIZARD-INPUT');
		const found = await host.run('sh', ['/etc/fw-wizard/watch', 'look']);
		expect(found).toMatchObject({status: 1, stdout: expect.stringContaining('is gone or empty')});
		expect(await sh('cat /run/motd.d/fw-wizard')).toContain(`See: sh ${SCRIPT} status\n`);
		expect(await run('remove')).toMatchObject({status: 0});
		const left = await traces();
		expect(left).not.toContain('FW-WIZARD');
		expect(left.split('\n').filter((line) => line.startsWith('/'))).toEqual([]);
	});

	test('what cannot be seen is JSON, too', async () => {
		const user = ['setpriv', '--reuid', '65534', '--clear-groups', 'sh', SCRIPT];
		const {status, stdout} = await execute([...host.enter, ...user, 'status', '--json']);
		expect({status, told: JSON.parse(stdout)}).toEqual({
			status: 3,
			told: {error: {message: 'only root can see and change the firewall', code: 3}},
		});
	});
});
