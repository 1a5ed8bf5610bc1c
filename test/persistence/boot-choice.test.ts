import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {bootWith, RESTORE} from '../_helpers/lab/boot-script.ts';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const FLAGS = ['--role', 'server', '--open', '22/tcp'];

function put(host: Host, file: string, text: string): void {
	mkdirSync(inView(host, path.dirname(file)), {recursive: true});
	writeFileSync(inView(host, file), text, {mode: 0o755});
}

describe('an init script of sysvinit, with update-rc.d and insserv of Debian', () => {
	const lab = useLab();
	const service = '/etc/init.d/fw-wizard';
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
		const insserv = await unpackPackages('insserv');
		const lines = [
			`for folder in sbin usr/sbin; do`,
			`[ ! -d ${insserv}/$folder ] || mount -t overlay fww-test -o lowerdir=${insserv}/$folder:/usr/sbin /usr/sbin`,
			'done',
			`cp ${insserv}/etc/insserv.conf /etc/`,
			// The script starts the watch, which tells logins what it finds.
			'mount -t tmpfs fww-test /run',
			'for level in 0 1 2 3 4 5 6 S; do mkdir -p /etc/rc$level.d; done',
		];
		await host.must('sh', ['-ec', lines.join('\n')]);
		const header = (name: string, start: string) =>
			`#!/bin/sh\n### BEGIN INIT INFO\n# Provides: ${name}\n# Required-Start: ${start}\n# Required-Stop:\n# Default-Start: S\n# Default-Stop:\n# Short-Description: ${name}\n### END INIT INFO\n`;
		put(host, '/etc/init.d/mountall', header('mountall', ''));
		put(host, '/etc/init.d/networking', header('networking', '$local_fs'));
		put(host, '/etc/init.d/netfilter-persistent', header('netfilter-persistent', '$local_fs'));
		await wizardDoes(host, 'apply', ...FLAGS, '--boot', 'sysvinit');
		for (const name of ['mountall', 'networking', 'netfilter-persistent']) {
			await host.must('update-rc.d', [name, 'defaults']);
		}
	});

	test('is ordered behind the disks and the rules of others, and before the network', async () => {
		const started = (await host.must('ls', ['/etc/rcS.d'])).trim().split('\n');
		const numbers = Object.fromEntries(
			started.map((link) => [link.slice(3), Number(link.slice(1, 3))]),
		);
		expect(numbers['fw-wizard']).toBeGreaterThan(numbers.mountall ?? 99);
		expect(numbers['fw-wizard']).toBeLessThan(numbers.networking ?? 0);
		expect(numbers['fw-wizard-again']).toBeGreaterThan(numbers['netfilter-persistent'] ?? 99);
		expect(numbers['fw-wizard-again']).toBeGreaterThan(numbers.networking ?? 99);
	});

	test('starts, restarts, and stops without opening the machine', async () => {
		const {ipv4, ipv6} = await bootWith(host, `sh ${RESTORE}`);
		expect(ipv4).toContain('-A INPUT -j FW-WIZARD-INPUT');
		const started = await bootWith(host, `${service} start >&2`);
		expect(started).toMatchObject({status: 0, ipv4, ipv6});
		expect(started.stderr).toContain('Loading the firewall rules of fw-wizard');
		expect(
			await bootWith(host, `${service} start >&2; ${service} restart >&2; ${service} stop >&2`),
		).toMatchObject({status: 0, ipv4, ipv6});
	});

	test('fails with the floor where the restore script is damaged', async () => {
		const script = await host.must('cat', [RESTORE]);
		await host.must('tee', [RESTORE], {input: script.slice(0, -10)});
		const {status, stderr, ipv4, ipv6} = await bootWith(host, `${service} start >&2`);
		expect(status).toBe(1);
		expect(stderr).toContain(`fw-wizard: ${RESTORE} is missing or damaged: it is not run`);
		expect(ipv4).toContain('-A FW-WIZARD-INPUT -j REJECT');
		expect(ipv6).toContain('-A FW-WIZARD-INPUT -j REJECT');
		await host.must('tee', [RESTORE], {input: script});
	});

	test('is said to be chosen, and found where no runlevel starts it', async () => {
		expect((await readChecklist(host)).items.service).toMatchObject({
			state: 'ok',
			title: 'the boot service (sysvinit, as you chose) is enabled and valid',
		});
		await host.must('update-rc.d', ['-f', 'fw-wizard', 'remove']);
		expect((await readChecklist(host)).failed).toEqual({
			service: 'no runlevel starts /etc/init.d/fw-wizard',
		});
		expect(await readChecklist(host, '--fix')).toMatchObject({status: 0, failed: {}});
	});

	test('gives way to another choice, and to what is found out', async () => {
		const said = await wizardDoes(host, 'apply', ...FLAGS, '--boot', 'none');
		expect(said).toContain('At boot: you see to it (as you chose)');
		expect(
			await host.must('find', ['/etc', '-name', '*fw-wizard*', '-not', '-path', '/etc/fw-wizard']),
		).toBe('');
		expect((await readChecklist(host)).items.service).toMatchObject({
			state: 'open',
			fix: `Have it run before the network comes up: sh ${RESTORE}`,
		});
		const found = await wizardDoes(host, 'apply', ...FLAGS, '--boot', 'auto');
		expect(found).toContain('At boot: systemd (detected; to change it: --boot)');
		expect(await host.must('find', ['/etc/fw-wizard', '-name', 'boot'])).toBe('');
	});

	test('is said not to be taken where it was not, and found', async () => {
		// Where systemd boots, nothing says of this script whether it comes first.
		await host.must('update-rc.d', ['-f', 'netfilter-persistent', 'remove']);
		await wizardDoes(host, 'apply', ...FLAGS, '--boot', 'none');
		await host.must('mount', ['--bind', '/bin/false', '/usr/bin/systemctl']);
		const said = await wizardDoes(host, 'apply', ...FLAGS, '--boot', 'systemd');
		expect(said).toContain('At boot: nothing loads them: systemd did not take the service.');
		await host.must('umount', ['/usr/bin/systemctl']);
		expect((await readChecklist(host)).failed).toEqual({
			service: 'fw-wizard.service is disabled',
			watch: 'fw-wizard-watch.service is not enabled',
		});
		expect(await readChecklist(host, '--fix')).toMatchObject({status: 0, failed: {}});
	});

	test('is gone after undo --all', async () => {
		await wizardDoes(host, 'apply', ...FLAGS, '--boot', 'sysvinit');
		await wizardDoes(host, 'undo', '--all');
		expect(await host.must('find', ['/etc', '-name', '*fw-wizard*'])).toBe('');
	});
});

describe('on a system where it would not last', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
	});

	test.each([
		['/etc/NIXOS', 'NixOS makes /etc anew'],
		['/etc/openwrt_release', 'OpenWrt has a firewall of its own'],
	])('with %s it is refused, with the rules in print', async (file, reason) => {
		put(host, file, '');
		const {status, stdout, stderr} = await wizard(host, 'apply', ...FLAGS);
		expect({status, stderr}).toEqual({status: 3, stderr: expect.stringContaining(reason)});
		expect(stdout).toContain('--dport 22 -j ACCEPT');
		expect(await host.must('iptables-save', [])).not.toContain('FW-WIZARD');
		await host.must('rm', [file]);
	});

	test('on WSL 1 it is refused', async () => {
		const version = '/run/fww-version';
		await host.must('sh', [
			'-ec',
			`echo 'Linux version 4.4.0-19041-Microsoft (x) #1' > ${version}; mount --bind ${version} /proc/version`,
		]);
		const {status, stdout, stderr} = await wizard(host, 'apply', ...FLAGS);
		expect({status, stderr}).toEqual({
			status: 3,
			stderr: expect.stringContaining('WSL 1 has no netfilter'),
		});
		expect(stdout).toContain('--dport 22 -j ACCEPT');
		await host.must('sh', ['-ec', `umount /proc/version; rm ${version}`]);
	});
});

describe('beside the rules that a distribution loads itself', () => {
	const lab = useLab();
	// Where each distribution's service would be enabled, and what it loads.
	const others = {
		'/etc/sysconfig/iptables':
			'*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n',
		'/etc/iptables/rules-save': '*filter\nCOMMIT\n',
	};

	test('the checklist says how they go together, and nothing of theirs changes', async () => {
		const host = await lab.host();
		for (const [file, text] of Object.entries(others)) {
			put(host, file, text);
		}

		// iptables-services of Red Hat, and Alpine's in its runlevel.
		put(
			host,
			'/etc/systemd/system/iptables.service',
			'[Unit]\nBefore=network-pre.target\n[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=basic.target\n',
		);
		await host.must('systemctl', ['enable', 'iptables.service']);
		put(host, '/etc/runlevels/boot/ip6tables', '');
		await wizardDoes(host, 'apply', ...FLAGS);
		const {items, failed} = await readChecklist(host);
		expect(failed).toEqual({});
		expect(items['companion-iptables']).toMatchObject({
			state: 'ok',
			cause: expect.stringContaining('/etc/sysconfig/iptables stays as it is'),
		});
		expect(items['companion-ip6tables']).toMatchObject({state: 'ok'});
		for (const [file, text] of Object.entries(others)) {
			expect(await host.must('cat', [file])).toBe(text);
		}

		const unit = await host.must('cat', ['/etc/systemd/system/fw-wizard.service']);
		expect(unit).toMatch(/^After=.*\biptables\.service\b/m);
	});
});
