import {mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {afterEach, beforeAll, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const FLAGS = ['--role', 'server', '--open', '22/tcp'];

/** Files of others, and which unit of theirs is enabled. */
const RIVALS: ReadonlyArray<{
	readonly rival: string;
	readonly files: Readonly<Record<string, string>>;
	readonly enabled?: string;
	/** The items that fail, and why. */
	readonly found: Readonly<Record<string, RegExp>>;
}> = [
	{
		rival: 'ufw',
		files: {'/etc/ufw/ufw.conf': '# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n'},
		found: {rivals: /^ufw is enabled/},
	},
	{rival: 'ufw, disabled', files: {'/etc/ufw/ufw.conf': 'ENABLED=no\n'}, found: {}},
	{rival: 'firewalld', files: {}, enabled: 'firewalld', found: {rivals: /^firewalld is enabled/}},
	{
		rival: 'nftables.service with flush',
		files: {
			'/etc/nftables.conf': '#!/usr/sbin/nft -f\n\nflush ruleset\n\ntable inet filter {\n}\n',
		},
		enabled: 'nftables',
		found: {},
	},
	{
		rival: 'nftables.service without flush',
		files: {'/etc/nftables.conf': 'table inet mine {\n}\n'},
		enabled: 'nftables',
		found: {},
	},
	{
		rival: 'netfilter-persistent with rules that open all ports',
		files: {'/etc/iptables/rules.v4': '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n'},
		enabled: 'netfilter-persistent',
		found: {ports: /: -A INPUT -j ACCEPT, in filter, loaded from \/etc\/iptables\/rules\.v4:3$/},
	},
	{
		rival: 'netfilter-persistent with rules that open and close nothing',
		files: {
			'/etc/iptables/rules.v4': '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n',
		},
		enabled: 'netfilter-persistent',
		found: {},
	},
	{
		rival: 'rules of netfilter-persistent that nobody loads',
		files: {'/etc/iptables/rules.v4': '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n'},
		found: {},
	},
];

describe('of other firewalls', () => {
	const lab = useLab();
	let host: Host;
	const made: string[] = [];

	beforeAll(async () => {
		host = await lab.host();
		await wizardDoes(host, 'apply', ...FLAGS);
	});

	afterEach(() => {
		for (const file of made.splice(0)) {
			rmSync(inView(host, file), {force: true});
		}
	});

	function put(file: string, text: string): void {
		mkdirSync(inView(host, path.dirname(file)), {recursive: true});
		rmSync(inView(host, file), {force: true});
		writeFileSync(inView(host, file), text);
		made.push(file);
	}

	test.each(RIVALS)('names it, mends the rest, and lets it be: $rival', async (rival) => {
		for (const [file, text] of Object.entries(rival.files)) {
			put(file, text);
		}

		if (rival.enabled !== undefined) {
			// As the packages have them; no program is run.
			const starts = `/usr/sbin/${rival.enabled} start`;
			const unit = `[Service]\nExecStart=${starts}\n[Install]\nWantedBy=multi-user.target\n`;
			put(`/etc/systemd/system/${rival.enabled}.service`, unit);
			made.push(`/etc/systemd/system/multi-user.target.wants/${rival.enabled}.service`);
			await host.must('systemctl', ['--quiet', 'enable', rival.enabled]);
		}

		await host.must('systemctl', ['--quiet', 'disable', 'fw-wizard.service']);
		const {status, failed, items} = await readChecklist(host, '--fix');
		const found = Object.entries(rival.found).map(([id, cause]) => [
			...[id, expect.stringMatching(cause)],
		]);
		expect({status, failed}).toEqual({
			status: found.length === 0 ? 0 : 1,
			failed: Object.fromEntries(found),
		});
		expect([items.rivals?.mendable, items.ports?.mendable]).toEqual([undefined, undefined]);
		for (const [file, text] of Object.entries(rival.files)) {
			expect(await host.must('cat', [file])).toBe(text);
		}

		if (rival.enabled !== undefined) {
			expect(await host.must('systemctl', ['is-enabled', rival.enabled])).toBe('enabled\n');
		}
	});
});

describe('of what the kernel and the system have', () => {
	const lab = useLab();

	test('finds that the machine was switched to the other backend', async () => {
		const host = await lab.host({backend: 'nft'});
		await wizardDoes(host, 'apply', ...FLAGS);
		for (const name of ['iptables', 'ip6tables']) {
			for (const ending of ['', '-save', '-restore']) {
				const link = inView(host, `/etc/alternatives/${name}${ending}`);
				rmSync(link);
				symlinkSync(`/usr/sbin/${name}-legacy${ending}`, link);
			}
		}

		const {status, failed} = await readChecklist(host);
		expect(status).toBe(1);
		expect(failed.backend).toBe(
			'at boot /usr/sbin/iptables-nft, /usr/sbin/ip6tables-nft, now /usr/sbin/iptables-legacy, /usr/sbin/ip6tables-legacy',
		);
		expect(failed).not.toHaveProperty('files');
		expect(await readChecklist(host, '--fix')).toMatchObject({status: 0, failed: {}});
		expect(await host.must('iptables-save', [])).toContain('-A INPUT -j FW-WIZARD-INPUT\n');
	});

	test('finds that the kernel no longer has a helper', async () => {
		const gone = path.join((await lab.host()).folder, 'gone');
		const script = `${gone}.restore`;
		const rename = `if [ -e ${gone} ]; then sed 's/--helper ftp/--helper nosuch/'; else cat; fi`;
		writeFileSync(script, `#!/bin/sh\n${rename} | /usr/sbin/iptables-nft-restore "$@"\n`, {
			mode: 0o755,
		});
		const host = await lab.host({replaced: {'iptables-restore': script}});
		await wizardDoes(host, 'apply', ...FLAGS, '--helper', 'ftp', '--helper', 'sip');
		expect(await readChecklist(host)).toMatchObject({status: 0, failed: {}});
		writeFileSync(gone, '');
		expect((await readChecklist(host)).failed).toEqual({
			helpers: 'this kernel does not have ftp',
		});
	});
});
