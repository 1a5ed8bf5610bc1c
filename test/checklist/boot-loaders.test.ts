import {chmodSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {afterEach, beforeAll, describe, expect, test} from 'vitest';
import {readChecklist} from '../_helpers/lab/checklist.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {unpackPackages} from '../_helpers/lab/debian-packages.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';

const RULES = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n';
const FLUSH = '#!/bin/sh\nPATH=/usr/sbin:/sbin\n# all of it\niptables -F\niptables -X\nexit 0\n';
const RESTORE = '#!/bin/sh\niptables-restore < /etc/my.rules\n';
const unit = (command: string, more = '') =>
	`[Unit]\nAfter=network.target\n${more}[Service]\nType=oneshot\nExecStart=${command}\n[Install]\nWantedBy=multi-user.target\n`;

/** What packets find when the rules are gone. */
const OPEN = /^1-21\/tcp, 23-65535\/tcp passes from anywhere/;

/** What runs behind fw-wizard and takes its rules away: the files that do it, and what names it. */
const LOADERS: ReadonlyArray<{
	readonly kind: string;
	readonly files: Readonly<Record<string, string>>;
	/** Units to enable. */
	readonly enabled?: readonly string[];
	readonly named: string;
	/** A copy of this machine does the same, and packets find the ports open. */
	readonly tried?: boolean;
}> = [
	{
		kind: 'a hook of ifupdown',
		files: {'/etc/network/if-pre-up.d/iptablesload': RESTORE, '/etc/my.rules': RULES},
		named: '/etc/network/if-pre-up.d/iptablesload:2 "iptables-restore < /etc/my.rules"',
		tried: true,
	},
	{
		kind: 'a line of interfaces(5), in a file of a folder',
		files: {
			'/etc/network/interfaces': 'auto lo\niface lo inet loopback\nsource-directory interfaces.d\n',
			'/etc/network/interfaces.d/wan':
				'iface eth0 inet manual\n\tmtu 1400\n\tpost-up ip6tables-restore </etc/my.rules || true\n',
			'/etc/my.rules': RULES,
		},
		named: '/etc/network/interfaces.d/wan:3 "ip6tables-restore </etc/my.rules || true"',
		tried: true,
	},
	{
		kind: 'rc.local',
		files: {'/etc/rc.local': FLUSH},
		named: '/etc/rc.local:4 "iptables -F"',
		tried: true,
	},
	{
		kind: 'cron, by another script',
		files: {
			'/etc/cron.d/firewall':
				'PATH=/bin\n@reboot root sleep 5 && /etc/firewall.sh >/dev/null 2>&1\n',
			'/etc/firewall.sh': FLUSH,
		},
		named: '/etc/firewall.sh:4 "iptables -F" (cron (@reboot), runs after fw-wizard)',
	},
	{
		kind: 'a unit, by a script with variables and functions',
		files: {
			'/etc/systemd/system/my-firewall.service': unit('/etc/my-firewall start'),
			'/etc/my-firewall':
				'#!/bin/bash\nIPT="/sbin/iptables -w"\nempty() {\n\t$IPT -t filter --flush\n}\ncase $1 in\nstart) empty; $IPT -P INPUT DROP ;;\nesac\n',
		},
		enabled: ['my-firewall'],
		named:
			'/etc/my-firewall:4 "$IPT -t filter --flush" (my-firewall.service, runs after fw-wizard)',
	},
	{
		kind: 'a drop-in of another unit',
		files: {
			'/etc/systemd/system/cron.service.d/x.conf':
				"[Service]\nExecStartPost=-/bin/sh -c 'nft flush ruleset; true'\n",
		},
		named:
			'/etc/systemd/system/cron.service.d/x.conf:2 "nft flush ruleset; true" (cron.service, runs after fw-wizard)',
		tried: true,
	},
	{
		kind: 'a timer',
		files: {
			'/etc/systemd/system/late.timer':
				'[Timer]\nOnBootSec=1min\n[Install]\nWantedBy=timers.target\n',
			'/etc/systemd/system/late.service': '[Service]\nExecStart=/etc/late.py\n',
			'/etc/late.py':
				'#!/usr/bin/env python3\nimport subprocess\n# iptables -F\nsubprocess.run(["/usr/sbin/iptables", "-F", "INPUT"])\n',
		},
		enabled: ['late.timer'],
		named: '/etc/late.py:4 "subprocess.run(["/usr/sbin/iptables", "-F", "INPUT"])" (late.service',
	},
	{
		kind: 'an init script',
		files: {
			'/etc/init.d/myfw':
				'#!/bin/sh\n. /lib/lsb/init-functions\nstop() {\n\ttrue\n}\ncase "$1" in\nstart)\n\tfor i in iptables ip6tables; do $i -F; done\n\tiptables -D INPUT -j FW-WIZARD-INPUT\n\t;;\nstop) iptables -F ;;\nesac\n',
			'/etc/rc2.d/S01myfw': '#!/bin/sh\n',
		},
		named:
			'/etc/init.d/myfw:8 "for i in iptables ip6tables; do $i -F; done" (/etc/init.d/myfw, runs after fw-wizard; 1 more)',
	},
	{
		kind: 'NetworkManager',
		files: {
			'/etc/NetworkManager/dispatcher.d/50-fw':
				'#!/bin/sh\n[ "$2" = up ] || exit 0\niptables-save | grep -v x | iptables-restore\n',
		},
		enabled: ['NetworkManager', 'NetworkManager-dispatcher'],
		named:
			'/etc/NetworkManager/dispatcher.d/50-fw:3 "iptables-save | grep -v x | iptables-restore" (NetworkManager',
	},
	{
		kind: 'networkd-dispatcher',
		files: {'/etc/networkd-dispatcher/routable.d/fw': FLUSH},
		enabled: ['networkd-dispatcher'],
		named: '/etc/networkd-dispatcher/routable.d/fw:4 "iptables -F" (networkd-dispatcher',
		tried: true,
	},
	{
		kind: 'dhclient',
		files: {'/etc/dhcp/dhclient-exit-hooks.d/fw': 'if true; then\n\tiptables --flush INPUT\nfi\n'},
		named: '/etc/dhcp/dhclient-exit-hooks.d/fw:2 "iptables --flush INPUT" (dhclient',
	},
	{
		kind: 'wg-quick',
		files: {
			'/etc/wireguard/wg0.conf':
				'[Interface]\nPostUp = iptables -A FORWARD -i %i -j ACCEPT\nPostUp = nft -f /etc/wg.nft\n',
			'/etc/wg.nft': 'include "/etc/wg.d/*.nft"\n',
			'/etc/wg.d/a.nft': '# flush\nflush ruleset\n',
		},
		enabled: ['wg-quick@wg0'],
		named: '/etc/wireguard/wg0.conf:3 "nft -f /etc/wg.nft" (wg-quick@wg0.service',
	},
	{
		kind: 'udev',
		files: {
			'/etc/udev/rules.d/99-fw.rules':
				'# RUN+="/sbin/iptables -X"\nACTION=="add", SUBSYSTEM=="net", RUN+="/sbin/iptables -F", RUN{builtin}+="kmod"\n',
		},
		named: '/etc/udev/rules.d/99-fw.rules:2 "/sbin/iptables -F" (udev, runs after fw-wizard)',
		tried: true,
	},
	{
		kind: 'a drop-in of a known program, by the rules that nft(8) runs',
		files: {
			'/etc/systemd/system/docker.service': unit('/bin/true'),
			'/etc/systemd/system/docker.service.d/x.conf':
				'[Service]\nEnvironment="RULES=/etc/my.nft"\nExecStartPost=\u0024{RULES}\n',
			'/etc/my.nft': '#!/usr/sbin/nft -f\nflush ruleset\n',
		},
		enabled: ['docker'],
		named: '(docker.service, runs after fw-wizard)',
		tried: true,
	},
	{
		kind: 'the bootcmd of cloud-init',
		files: {
			'/etc/systemd/system/cloud-init.service': unit('/bin/true'),
			'/etc/cloud/cloud.cfg.d/9.cfg':
				'#cloud-config\nbootcmd:\n  - echo one\n  - [ "iptables", -F ]\n  - - ip6tables\n    - -F\nruncmd:\n  - nft flush ruleset\n',
		},
		enabled: ['cloud-init'],
		named:
			'/etc/cloud/cloud.cfg.d/9.cfg:4 "iptables -F" (cloud-init (bootcmd), runs after fw-wizard; 1 more)',
		tried: true,
	},
	{
		kind: 'a script that another program runs, and one that looks its programs up',
		files: {
			'/etc/systemd/system/python.service': unit('/usr/bin/env python3 -u /etc/late.py'),
			'/etc/late.py': 'import os\nos.system("iptables -F; /etc/more.sh")\n',
			'/etc/systemd/system/which.service': unit('/etc/which.sh'),
			'/etc/which.sh':
				'#!/bin/bash\nIPT=$(which iptables)\nIP6=\u0024{IP6:-/sbin/ip6tables}\n$IPT -F\n$IP6 -F\n',
		},
		enabled: ['python', 'which'],
		named: '/etc/which.sh:4 "$IPT -F" (which.service, runs after fw-wizard; 1 more)',
		tried: true,
	},
];

/** What does no harm, of Debian's own packages and of administrators. */
const HARMLESS: Readonly<Record<string, string>> = {
	'/etc/network/if-post-down.d/save': '#!/bin/sh\niptables-save >/etc/iptables.saved\n',
	'/etc/rc.local':
		'#!/bin/sh -e\niptables -t nat -A POSTROUTING -j MASQUERADE\nexit 0\niptables -F\n',
	'/etc/cron.d/list':
		'@reboot root iptables -nL >/var/lib/list\n0 * * * * root iptables -t nat -F\n',
	'/etc/network/if-up.d/other':
		'#!/bin/sh\nip netns exec blue iptables -F\niptables -t nat -F\necho iptables -F\n',
	'/etc/init.d/iptables-stop': '#!/bin/sh\ncase "$1" in stop) iptables -F ;; esac\n',
	'/etc/rc2.d/S01iptables-stop': '#!/bin/sh\n',
	'/etc/systemd/system/unused.service': unit('/usr/sbin/iptables -F'),
};

/** Adds the files of packages to those of the machine, in its own view of them. */
const INSTALL = `
mount -t tmpfs fww-test /mnt
mkdir /mnt/usr
for folder in bin sbin lib usr/.; do
	[ ! -e "$1/$folder" ] || cp -a "$1/$folder" /mnt/usr/
done
mount -t overlay fww-test -o lowerdir=/mnt/usr:/usr /usr
cp -an "$1/etc/." /etc/`;

describe('what else runs at boot', () => {
	const lab = useLab();
	let host: Host;
	const made: string[] = [];

	beforeAll(async () => {
		host = await lab.host();
		// Real ones, installed: their units, folders and programs.
		const packages = await unpackPackages(
			...['ifupdown', 'cron', 'network-manager', 'networkd-dispatcher', 'isc-dhcp-client'],
			...['wireguard-tools', 'netfilter-persistent', 'iptables-persistent', 'udev'],
		);
		await host.must('sh', ['-ec', INSTALL, 'sh', packages]);
		for (const name of ['networking', 'cron']) {
			await host.must('systemctl', ['--quiet', 'enable', name]);
		}

		await wizardDoes(host, 'apply', '--yes', '--role', 'server', '--open', '22/tcp');
	});

	afterEach(async () => {
		for (const file of made.splice(0)) {
			rmSync(inView(host, file), {force: true});
		}
	});

	function put(files: Readonly<Record<string, string>>): void {
		for (const [file, text] of Object.entries(files)) {
			mkdirSync(inView(host, path.dirname(file)), {recursive: true});
			writeFileSync(inView(host, file), text);
			chmodSync(inView(host, file), text.startsWith('#!') ? 0o755 : 0o644);
			made.push(file);
		}
	}

	test('is no fault where it takes no rule away', async () => {
		expect(await readChecklist(host)).toMatchObject({status: 0, failed: {}});
		put(HARMLESS);
		const {status, failed, items} = await readChecklist(host);
		expect({status, failed}).toEqual({status: 0, failed: {}});
		expect(items).not.toHaveProperty('loaders-unknown');
	});

	// The checklist names four.
	const rounds = [0, 4, 8, 12].map((first) => LOADERS.slice(first, first + 4));
	test.each(rounds.map((loaders) => ({kinds: loaders.map(({kind}) => kind).join(', '), loaders})))(
		'is named where it takes the rules away: $kinds',
		async ({loaders}) => {
			const enabled = loaders.flatMap((loader) => loader.enabled ?? []);
			const anyTried = loaders.some(({tried}) => tried);
			put(Object.assign({}, ...loaders.map(({files}) => files)));
			for (const name of enabled) {
				await host.must('systemctl', ['--quiet', 'enable', name]);
			}

			const {status, failed} = await readChecklist(host);
			for (const {named} of loaders) {
				expect(failed.loaders).toContain(named);
			}

			const {loaders: _, ports, ...others} = failed;
			expect({status, others}).toEqual({status: 1, others: {}});
			expect(ports).toEqual(anyTried ? expect.stringMatching(OPEN) : undefined);
			for (const name of enabled) {
				await host.must('systemctl', ['--quiet', 'disable', name]);
			}
		},
	);

	test('is seen by packets where it adds rules', async () => {
		put({
			'/etc/cron.d/open': '@reboot root iptables -I INPUT -p tcp --dport 8080 -j ACCEPT\n',
			'/etc/cron.d/other': '@reboot root iptables -A FORWARD -j DROP\n',
			// Not the one of a distribution, which has this name as well.
			'/etc/systemd/system/iptables.service': unit(
				'/usr/sbin/iptables-restore -n /etc/my.rules',
			).replace('After=network.target\n', ''),
			'/etc/my.rules': RULES.replace('-i lo', '-p tcp --dport 8081'),
		});
		await host.must('systemctl', ['--quiet', 'enable', 'iptables']);
		const {status, failed} = await readChecklist(host);
		await host.must('systemctl', ['--quiet', 'disable', 'iptables']);
		const rule = (port: number) => `-A INPUT -p tcp -m tcp --dport ${port} -j ACCEPT, in filter`;
		const texts = [8080, 8081].map(
			(port) => `${port}/tcp is open from anywhere over IPv4: ${rule(port)}`,
		);
		expect({status, failed}).toEqual({status: 1, failed: {ports: texts.join('; ')}});
	}, 120_000);

	test('fails the proof of the boot, by packets or by its text', async () => {
		put({
			'/etc/cron.d/open': '@reboot root iptables -I INPUT -p tcp --dport 8080 -j ACCEPT\n',
			'/etc/cron.d/fw': '@reboot root if true; then iptables -F; fi\n',
		});
		const {status, stdout} = await wizard(host, 'prove', '--of', 'boot');
		expect(status).toBe(1);
		expect(stdout).toContain('Difference: 8080/tcp passes from anywhere over IPv4');
		expect(stdout).toContain(
			'Failed: nothing takes the rules away at boot: /etc/cron.d/fw:1 "if true; then iptables -F; fi" (cron',
		);
	}, 240_000);

	test('is open where its rules are not known', async () => {
		put({
			'/etc/network/if-up.d/open':
				'#!/bin/sh\niptables -I INPUT -p tcp --dport "$PORT" -j ACCEPT\n',
			'/etc/network/if-down.d/fw': FLUSH,
			'/etc/cron.d/hourly': '0 * * * mon,tue root iptables -F\n',
			'/etc/systemd/system/daily.timer':
				'[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n',
			'/etc/systemd/system/daily.service': '[Service]\nExecStart=/usr/sbin/iptables -F\n',
		});
		await host.must('systemctl', ['--quiet', 'enable', 'daily.timer']);
		const {status, items} = await readChecklist(host);
		await host.must('systemctl', ['--quiet', 'disable', 'daily.timer']);
		expect(status).toBe(0);
		expect(items['loaders-unknown']).toMatchObject({
			state: 'open',
			cause:
				'/etc/systemd/system/daily.service:2 "/usr/sbin/iptables -F" (daily.service, by daily.timer, does not run at boot); /etc/network/if-up.d/open:2 "iptables -I INPUT -p tcp --dport "$PORT" -j ACCEPT" (ifupdown, when an interface comes up, was not tried); /etc/network/if-down.d/fw:4 "iptables -F" (ifupdown, when an interface goes down, does not run at boot); /etc/cron.d/hourly:1 "iptables -F" (cron, does not run at boot)',
		});
	});

	test('is an init script of a known name, where sysvinit boots', async () => {
		put({'/etc/init.d/iptables': FLUSH, '/etc/rc2.d/S99iptables': '#!/bin/sh\n'});
		await wizardDoes(
			host,
			...['apply', '--yes', '--boot', 'sysvinit', '--role', 'server', '--open', '22/tcp'],
		);
		const {status, failed} = await readChecklist(host);
		expect(status).toBe(1);
		expect(failed.loaders).toContain('/etc/init.d/iptables:4 "iptables -F" (/etc/init.d/iptables');
	});
});
