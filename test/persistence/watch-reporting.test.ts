import {beforeAll, describe, expect, test} from 'vitest';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const WATCH = '/etc/fw-wizard/watch';
const FOLDER = '/var/lib/prometheus/node-exporter';
const TEXTFILE = `${FOLDER}/fw-wizard.prom`;
const ALERT = '/etc/fww-alert';
const CALLS = '/run/fww-calls';
const SOCKET = '/run/systemd/journal/socket';
const POLICY = ['--role', 'server', '--open', '22/tcp', '--open', '8000-8009/tcp', '--open', '53'];
const HOSTILE = '\u001B]0;x\u0007\u001B[31m"\\$(touch /run/ran)`id`\u202E\n-j DROP\n';

type Call = {readonly what: string; readonly host: string} & Record<string, unknown>;

describe('what the watch passes on', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
		// What it tells at logins must not reach those of this machine.
		await host.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
		// As Debian has it: the folder above is not root's.
		await sh(`mkdir -p ${FOLDER}; chown 4321 ${FOLDER} ${FOLDER}/..`);
		await host.must('tee', [ALERT], {input: `#!/bin/sh\ncat >>${CALLS}\n`});
		await host.must('chmod', ['755', ALERT]);
		await wizardDoes(host, 'apply', ...POLICY);
		await wizardDoes(host, 'watch', 'on', '--notify', ALERT, '--textfile', TEXTFILE);
	});

	const sh = async (script: string) => host.must('sh', ['-ec', script]);
	const look = async () => host.run('sh', [WATCH, 'look']);
	const metrics = async () => (await host.run('cat', [TEXTFILE])).stdout;
	const calls = async (): Promise<readonly Call[]> =>
		(await host.run('cat', [CALLS])).stdout
			.split('\n')
			.filter((line) => line !== '')
			.map((line) => JSON.parse(line));
	/** Each sample, without help and types. */
	const samples = async () =>
		Object.fromEntries(
			(await metrics())
				.split('\n')
				.filter((line) => /^[^#]/.test(line))
				.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]),
		);
	/** Without the limit on calls. */
	const forget = async () => sh(`rm -f ${CALLS} /var/lib/fw-wizard/watch/found`);

	test('is nothing but metrics while all is well', async () => {
		expect(await look()).toEqual({status: 0, stdout: '', stderr: ''});
		expect(await calls()).toEqual([]);
		expect(await samples()).toMatchObject({
			...{'fw_wizard_active{family="4"}': 1, 'fw_wizard_active{family="6"}': 1},
			'fw_wizard_open_ports{family="4",protocol="tcp"}': 12,
			'fw_wizard_open_ports{family="6",protocol="udp"}': 1,
			'fw_wizard_blocked_packets_total{family="4"}': 0,
			...{fw_wizard_drift: 0, fw_wizard_repairs_total: 0, fw_wizard_next_boot_ready: 1},
		});
		expect(await samples()).not.toHaveProperty('fw_wizard_last_check_well');
		const {mode, size} = JSON.parse(await sh(`stat -c '{"mode":%a,"size":%s}' ${TEXTFILE}`));
		expect({mode, filled: size > 100}).toEqual({mode: 644, filled: true});
	});

	test('counts blocked packets, and knows the last check', async () => {
		await host.ip(['address add 192.0.2.1/24 dev lo']);
		// Packets that come back over loopback are let in.
		await sh('iptables -I FW-WIZARD-INPUT -s 192.0.2.1 -p udp --dport 99 -j DROP');
		await sh('for i in 1 2 3; do echo x | timeout 2 socat -u - UDP4:192.0.2.1:99; done; true');
		await look();
		expect((await samples())['fw_wizard_blocked_packets_total{family="4"}']).toBe(3);
		await sh('iptables -D FW-WIZARD-INPUT 1');
		await wizard(host, 'check');
		await look();
		const {fw_wizard_last_check_timestamp_seconds: time = 0} = await samples();
		expect(Math.abs(Date.now() / 1000 - time)).toBeLessThan(600);
		await forget();
	});

	test('is a file that promtool accepts', async () => {
		const promtool = `${await unpackPackages('prometheus')}/usr/bin/promtool`;
		const checked = await host.run(promtool, ['check', 'metrics'], {input: await metrics()});
		expect(checked).toEqual({status: 0, stdout: '', stderr: ''});
	});

	test('is told once an hour for the same, and again for something else', async () => {
		await sh('ip6tables -D INPUT -j FW-WIZARD-INPUT');
		for (const _ of [1, 2, 3]) {
			expect((await look()).status).toBe(1);
		}

		const missing = 'IPv6: INPUT has no jump to FW-WIZARD-INPUT';
		const name = (await sh('cat /proc/sys/kernel/hostname')).trim();
		expect(await calls()).toEqual([
			{
				...{what: 'drift', host: name, drift: [missing], repaired: []},
				time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
			},
		]);
		expect(await samples()).toMatchObject({
			...{'fw_wizard_active{family="4"}': 1, 'fw_wizard_active{family="6"}': 0},
			...{fw_wizard_drift: 1, fw_wizard_next_boot_ready: 1},
		});
		await sh('iptables -I INPUT -p tcp --dport 99 -j ACCEPT; rm /etc/fw-wizard/restore');
		await look();
		const [, second, ...more] = await calls();
		expect(second?.drift).toHaveLength(3);
		expect(more).toEqual([]);
		expect(await samples()).toMatchObject({fw_wizard_drift: 3, fw_wizard_next_boot_ready: 0});
		await sh('grep -q "has no jump" /run/motd.d/fw-wizard');
		await sh('iptables -D INPUT -p tcp --dport 99 -j ACCEPT');
		await wizardDoes(host, 'apply', ...POLICY);
		expect((await look()).status).toBe(0);
		expect((await host.run('cat', ['/run/motd.d/fw-wizard'])).status).toBe(1);
		expect(await calls()).toHaveLength(2);
		await forget();
	});

	test('has nothing hostile in it, and tells repairs as well', async () => {
		const rule = ['-p', 'tcp', '-m', 'comment', '--comment', HOSTILE, '-j', 'ACCEPT'];
		await host.must('iptables', ['-I', 'INPUT', ...rule]);
		await sh('echo repair 300 >/run/choice; sed 1d /etc/fw-wizard/watching >>/run/choice');
		await sh('cp /run/choice /etc/fw-wizard/watching; ip6tables -F FW-WIZARD-INPUT');
		const {stdout} = await look();
		const [call, ...more] = await calls();
		expect(more).toEqual([]);
		expect(call).toMatchObject({
			what: 'drift',
			drift: [expect.stringContaining('before our rules: -A INPUT -p tcp -m comment')],
			repaired: [expect.stringContaining('IPv6: FW-WIZARD-INPUT is gone or empty')],
		});
		expect(call?.drift).toEqual([expect.stringContaining('$(touch /run/ran)`id`')]);
		for (const text of [stdout, await sh(`cat ${CALLS}`), await metrics()]) {
			expect(text).toMatch(/^[\x20-\x7E\n]*$/);
		}

		expect(await metrics()).not.toContain('touch');
		expect((await host.run('cat', ['/run/ran'])).status).not.toBe(0);
		await host.must('iptables', ['-D', 'INPUT', ...rule]);
		await look();
		expect(await samples()).toMatchObject({fw_wizard_repairs_total: 1});
		// Another change makes no other total, and what was checked and proven before it was of other rules.
		await wizard(host, 'check');
		await look();
		expect(await samples()).toHaveProperty('fw_wizard_last_check_well');
		await wizardDoes(host, 'apply', ...POLICY, '--open', '99/tcp');
		await look();
		expect(await samples()).toMatchObject({fw_wizard_repairs_total: 1});
		expect(await samples()).not.toHaveProperty('fw_wizard_last_check_well');
		await wizardDoes(host, 'undo');
		await forget();
	});

	test('is not told by a program that others may change', async () => {
		await sh(`chmod 777 ${ALERT}; ip6tables -D INPUT -j FW-WIZARD-INPUT`);
		await sh(`sed -i s/repair/report/ /etc/fw-wizard/watching`);
		expect((await look()).stdout).toContain(`${ALERT} is not run`);
		expect(await calls()).toEqual([]);
		await forget();
		await sh(`chmod 755 ${ALERT}`);
		await look();
		expect(await calls()).toHaveLength(1);
		await sh('sh /etc/fw-wizard/restore');
		await look();
	});

	test('goes to the journal with an ID that scripts can look for', async () => {
		await sh(`mkdir -p ${SOCKET.replace(/\/socket$/, '')}`);
		const journal = await host.start(
			'sh',
			['-c', `echo ready; exec socat -u UNIX-RECV:${SOCKET} OPEN:/run/journal,creat,append`],
			/ready/,
		);
		await sh(`until [ -S ${SOCKET} ]; do sleep 0.1; done; iptables -D INPUT -j FW-WIZARD-INPUT`);
		await look();
		await sh('iptables -A INPUT -j FW-WIZARD-INPUT');
		await look();
		await sh('until grep -q 9c37328e6bcb4a2e85e250954dfa1be0 /run/journal; do sleep 0.1; done');
		const entries = await sh('cat /run/journal');
		expect(entries).toContain('MESSAGE_ID=f9f7bd34118a45a4a7b7d990d521f1cf\nPRIORITY=4\n');
		expect(entries).toContain(
			'\nMESSAGE=The firewall is not as it was confirmed: IPv4: INPUT has no jump to FW-WIZARD-INPUT\n',
		);
		await journal.stop();
	});

	test('replaces a link that stands in the place of the file, and follows none', async () => {
		await sh(`echo whole >/etc/fww-victim; ln -sf /etc/fww-victim ${TEXTFILE}`);
		await look();
		expect(await sh('cat /etc/fww-victim')).toBe('whole\n');
		expect(await metrics()).toContain('fw_wizard_active');
		expect(await sh(`ls -A ${FOLDER}`)).toBe('fw-wizard.prom\n');
	});

	test.each([
		[['--notify', 'true'], 'is not a program'],
		[['--notify', '/etc'], 'is not a program'],
		[['--notify', `${ALERT} -x`], 'is not a program'],
		[['--notify', '/var/lib/prometheus/alert'], '/var/lib/prometheus is not owned by root'],
		[['--textfile', '/etc/passwd'], 'is not a file of metrics'],
		[['--textfile', '/nowhere/fw.prom'], 'is not a file of metrics'],
		[['--textfile', '/etc/other.prom'], 'exists and is not of fw-wizard'],
	])('refuses %j', async (words, message) => {
		await sh(
			`cp -p ${ALERT} /var/lib/prometheus/alert; echo x >/etc/other.prom; mkdir -p ${FOLDER}`,
		);
		const {status, stderr} = await wizard(host, 'watch', 'on', ...words);
		expect({status, stderr}).toEqual({status: 2, stderr: expect.stringContaining(message)});
	});

	test('stays as it was said, until it is said otherwise, and goes with the rest', async () => {
		await wizardDoes(host, 'watch', 'on', '--repair', '--every', '10min');
		expect(JSON.parse(await wizardDoes(host, 'watch', 'on', '--json'))).toMatchObject({
			...{repair: true, every: 600, notify: ALERT, textfile: TEXTFILE},
		});
		await wizardDoes(host, 'watch', 'on', '--no-notify', '--no-repair');
		const said = await wizardDoes(host, 'watch');
		expect(said).toContain(`Metrics for Prometheus: ${TEXTFILE}`);
		expect(said).not.toContain(ALERT);
		await look();
		await wizardDoes(host, 'watch', 'on', '--no-textfile');
		expect(await sh(`ls -A ${FOLDER}`)).toBe('');
		await wizardDoes(host, 'watch', 'on', '--textfile', TEXTFILE);
		await look();
		await wizardDoes(host, 'undo', '--all');
		expect(await sh(`ls -A ${FOLDER}`)).toBe('');
		expect(await sh("find /etc /run /var/lib -name '*fw-wizard*'")).toBe('');
	});
});
