/** What somebody has put on a machine, or has done to it, after its firewall was kept. */
export type BootFault = {
	readonly name: string;
	/** Absolute path → text. Scripts are executable. */
	readonly files?: Readonly<Record<string, string>>;
	/** Commands of sh that are run then. */
	readonly commands?: string;
	/** What `check` says of it before the boot; null where it cannot be known. */
	readonly known: RegExp | null;
	/** Whether it leaves ports open until something sees it; else they are open at no time. */
	readonly opens?: true;
	/** It is another program's rule, which stays: what `check` says of it after the boot. */
	readonly tells?: RegExp;
	/** Nothing that fw-wizard could load is left. */
	readonly hopeless?: true;
};

const FLUSH = '#!/bin/sh\niptables -F\niptables -X\nip6tables -F\nip6tables -X\n';
const NFT = '#!/usr/sbin/nft -f\nflush ruleset\n';
const UNITS = '/etc/systemd/system';
const ENTER = '-A INPUT -i lo -j ACCEPT';
const SAVED = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${ENTER}\nCOMMIT\n`;

function unit(command: string, more = 'After=network.target'): string {
	return `[Unit]\n${more}\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=${command}\n[Install]\nWantedBy=multi-user.target\n`;
}

/** Units, each of which starts at boot. */
function started(name: string, text: string): Pick<BootFault, 'files' | 'commands'> {
	return {
		files: {[`${UNITS}/${name}`]: text},
		commands: `systemctl --quiet enable ${name}`,
	};
}

/** By which something takes the rules away, or goes ahead of them, after they were loaded. */
const FLUSHES: readonly BootFault[] = [
	{
		name: 'a hook in if-pre-up.d',
		files: {
			'/etc/network/if-pre-up.d/load': '#!/bin/sh\niptables-restore </etc/iptables.up\n',
			'/etc/iptables.up': SAVED,
		},
		known: /if-pre-up\.d\/load/,
	},
	{name: 'a hook in if-up.d', files: {'/etc/network/if-up.d/load': FLUSH}, known: /if-up\.d\/load/},
	{
		name: 'a line in interfaces(5)',
		commands:
			"sed -i '/^iface eth0 inet static/a\\\tpre-up iptables -F; iptables -X' /etc/network/interfaces",
		known: /\/etc\/network\/interfaces/,
	},
	{
		name: 'post-up in interfaces.d, in a script that it calls',
		files: {
			'/etc/network/interfaces.d/more': 'iface lo inet loopback\n\tpost-up /usr/local/sbin/fw\n',
			'/usr/local/sbin/fw': FLUSH.replace('\n', '\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n'),
		},
		commands: "echo 'source /etc/network/interfaces.d/*' >>/etc/network/interfaces",
		known: /\/usr\/local\/sbin\/fw/,
	},
	{name: 'rc.local', files: {'/etc/rc.local': FLUSH}, known: /rc\.local/},
	{
		name: 'rc.local, with nft',
		files: {'/etc/rc.local': '#!/bin/sh\nnft flush ruleset\nexit 0\n'},
		known: /rc\.local/,
	},
	{
		name: '@reboot in cron.d',
		files: {
			'/etc/cron.d/load': '@reboot root sleep 1; /usr/local/sbin/fw\n',
			'/usr/local/sbin/fw': FLUSH.replace('\n', '\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n'),
		},
		commands: 'chmod 644 /etc/cron.d/load',
		known: /cron|\/usr\/local\/sbin\/fw/,
	},
	{
		name: "@reboot in root's crontab",
		commands: "echo '@reboot /usr/sbin/iptables -F' | crontab -",
		known: /cron/,
	},
	{
		name: 'a unit',
		...started('my-firewall.service', unit('/usr/sbin/iptables -F')),
		known: /my-firewall/,
	},
	{
		name: 'a unit with a file of nft',
		files: {
			[`${UNITS}/my-firewall.service`]: unit('/usr/sbin/nft -f /etc/my.nft'),
			'/etc/my.nft': NFT,
		},
		commands: 'systemctl --quiet enable my-firewall.service',
		known: /my-firewall|my\.nft/,
	},
	{
		name: 'a unit that goes through two scripts',
		files: {
			[`${UNITS}/my-firewall.service`]: unit('/usr/local/sbin/one'),
			'/usr/local/sbin/one': '#!/bin/bash\nset -e\n. /usr/local/lib/two\n',
			'/usr/local/lib/two': 'IPT=/usr/sbin/iptables\n$IPT -F\n$IPT -X\n',
		},
		commands: 'systemctl --quiet enable my-firewall.service',
		known: /my-firewall|\/usr\/local\/lib\/two/,
	},
	{
		name: 'a program that cannot be read',
		...started('my-firewall.service', unit('/usr/local/sbin/opaque')),
		commands:
			'systemctl --quiet enable my-firewall.service; printf \'#!/bin/sh\\neval "$(echo aXB0YWJsZXMgLUY7IGlwdGFibGVzIC1YCg== | base64 -d)"\\n\' >/usr/local/sbin/opaque; chmod 755 /usr/local/sbin/opaque',
		known: null,
	},
	{
		name: 'a timer, some seconds after the boot',
		files: {
			[`${UNITS}/late.service`]: '[Service]\nType=oneshot\nExecStart=/usr/sbin/iptables -F INPUT\n',
			[`${UNITS}/late.timer`]: '[Timer]\nOnBootSec=4\n[Install]\nWantedBy=timers.target\n',
		},
		commands: 'systemctl --quiet enable late.timer',
		known: /late\.(?:service|timer)/,
	},
	{
		name: 'a drop-in of another service',
		files: {
			[`${UNITS}/ssh.service.d/fw.conf`]: '[Service]\nExecStartPost=/usr/sbin/iptables -F\n',
		},
		known: /ssh\.service/,
	},
	{
		name: 'an init script',
		files: {
			'/etc/init.d/fw': `#!/bin/sh
### BEGIN INIT INFO
# Provides: fw
# Required-Start: $network
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop:
### END INIT INFO
case $1 in start) iptables -F; iptables -X ;; esac
`,
		},
		commands: 'update-rc.d fw defaults',
		known: /init\.d\/fw|fw\.service/,
	},
	{
		name: 'networkd-dispatcher',
		files: {'/etc/networkd-dispatcher/routable.d/fw': FLUSH},
		known: /networkd-dispatcher/,
	},
	{
		name: 'a rule of udev',
		files: {
			'/etc/udev/rules.d/99-fw.rules':
				'ACTION=="add", SUBSYSTEM=="net", RUN+="/usr/sbin/iptables -F"\n',
		},
		// Nothing of udev runs in the container that the test boots: whether it is found is all there is.
		known: /udev/,
	},
	{
		name: 'one ACCEPT ahead of all',
		...started('my-firewall.service', unit('/usr/sbin/iptables -I INPUT -j ACCEPT')),
		known: /-A INPUT -j ACCEPT/,
		tells: /before our rules: -A INPUT -j ACCEPT/,
	},
	{
		name: 'our jump alone is taken away',
		...started('my-firewall.service', unit('/usr/sbin/iptables -D INPUT -j FW-WIZARD-INPUT')),
		known: /my-firewall/,
	},
	{
		name: 'our chain alone is emptied, in IPv6',
		...started('my-firewall.service', unit('/usr/sbin/ip6tables -F FW-WIZARD-INPUT')),
		known: /my-firewall/,
	},
	{
		name: 'one that flushes twice, seconds apart',
		...started(
			'my-firewall.service',
			unit("/bin/sh -c 'iptables -F; sleep 3; iptables -F'").replace('oneshot', 'simple'),
		),
		known: /my-firewall/,
	},
].map((fault) => ({...fault, opens: true}));

/** What loads rules before ours: ours come behind it. */
const EARLIER: readonly BootFault[] = [
	{
		name: 'nftables.service, which flushes',
		files: {'/etc/nftables.conf': NFT},
		commands: 'systemctl --quiet enable nftables.service',
		known: null,
	},
	{
		name: 'a unit before the network, which flushes, and is not ordered with ours',
		files: {
			[`${UNITS}/my-firewall.service`]: unit(
				'/usr/sbin/iptables -F',
				'DefaultDependencies=no\nBefore=network-pre.target\nWants=network-pre.target',
			),
		},
		commands: 'systemctl --quiet enable my-firewall.service',
		known: /my-firewall/,
		opens: true,
	},
];

const RESTORE = '/etc/fw-wizard/restore';
const UNIT = `${UNITS}/fw-wizard.service`;

/** What is broken of ours. */
const BROKEN: readonly BootFault[] = [
	{name: 'the restore script is gone', commands: `rm ${RESTORE}`, known: /restore/},
	{name: 'it is empty', commands: `: >${RESTORE}`, known: /restore/},
	{name: 'it is cut short', commands: `truncate -s 3000 ${RESTORE}`, known: /restore/},
	{
		name: 'it has one other byte',
		commands: `sed -i '40s/./#/' ${RESTORE}`,
		known: /restore/,
	},
	{
		name: 'it is a folder',
		commands: `rm ${RESTORE}; mkdir ${RESTORE}`,
		known: /restore/,
	},
	{name: 'the floor is gone', commands: 'rm /etc/fw-wizard/floor', known: /floor/},
	{name: 'the floor is damaged', commands: 'echo >>/etc/fw-wizard/floor', known: /floor/},
	{name: 'the policy is gone', commands: 'rm /etc/fw-wizard/policy.json', known: /./},
	{name: 'others can write the script', commands: `chmod 666 ${RESTORE}`, known: /restore/},
	{
		name: 'the script and the floor are gone',
		commands: `rm ${RESTORE} /etc/fw-wizard/floor`,
		known: /restore|floor/,
		hopeless: true,
	},
	{
		name: 'the unit is disabled',
		commands: 'systemctl --quiet disable fw-wizard',
		known: /disabled/,
	},
	{
		name: 'the unit is masked',
		commands: `rm ${UNIT}; systemctl --quiet mask fw-wizard`,
		known: /mask/,
	},
	{name: 'the unit is gone', commands: `rm ${UNIT}`, known: /fw-wizard\.service/},
	{name: 'the unit is empty', commands: `: >${UNIT}`, known: /fw-wizard\.service/},
	{
		name: 'the unit starts something else',
		files: {[`${UNIT}.d/x.conf`]: '[Service]\nExecStart=\nExecStart=/bin/true\n'},
		known: /fw-wizard\.service|x\.conf/,
	},
	{
		name: 'the unit starts late',
		files: {[`${UNIT}.d/x.conf`]: '[Unit]\nBefore=\nAfter=ssh.service\n'},
		known: /x\.conf/,
	},
	{
		name: 'a condition keeps the unit from starting',
		files: {[`${UNIT}.d/x.conf`]: '[Unit]\nConditionPathExists=/nowhere\n'},
		known: /fw-wizard\.service|x\.conf/,
	},
	{
		name: 'the unit is in a cycle',
		files: {
			[`${UNITS}/cycle.service`]:
				'[Unit]\nDefaultDependencies=no\nAfter=network.target\nBefore=fw-wizard.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nRequiredBy=fw-wizard.service\n',
		},
		commands: 'systemctl --quiet enable cycle.service',
		known: /cycle/,
	},
	{
		name: 'what loads rules is gone',
		commands: 'rm /usr/sbin/xtables-*-multi',
		known: /./,
		hopeless: true,
	},
	{
		name: 'all of our folder is gone',
		commands: 'rm -r /etc/fw-wizard',
		known: /./,
		hopeless: true,
	},
	{
		name: 'the alternative of iptables points nowhere',
		commands: 'ln -sf /usr/sbin/nowhere /etc/alternatives/iptables-restore',
		known: /./,
	},
	{
		name: 'the other backend was chosen',
		commands:
			'for name in iptables ip6tables; do update-alternatives --set $name /usr/sbin/$name-legacy; done',
		known: /backend/,
	},
	{
		name: 'the match conntrack is missing',
		commands: 'rm /usr/lib/*/xtables/libxt_conntrack.so /usr/lib/*/xtables/libxt_state.so || :',
		known: /./,
	},
	{
		name: '/etc is read-only',
		files: {
			[`${UNITS}/fix-etc.service`]:
				'[Unit]\nDefaultDependencies=no\nAfter=local-fs.target\nBefore=network-pre.target\nWants=network-pre.target\n[Service]\nType=oneshot\nExecStart=/bin/mount --bind /etc /etc\nExecStart=/bin/mount -o remount,bind,ro /etc\n[Install]\nWantedBy=sysinit.target\n',
		},
		commands: 'systemctl --quiet enable fix-etc.service',
		known: null,
	},
	{
		name: 'the disk takes no more',
		files: {
			[`${UNITS}/full.service`]:
				'[Unit]\nDefaultDependencies=no\nAfter=local-fs.target\nBefore=network-pre.target\nWants=network-pre.target\n[Service]\nType=oneshot\nExecStart=/bin/mount -t tmpfs -o size=4k,mode=755 full /var/lib/fw-wizard\nExecStart=-/bin/dd if=/dev/zero of=/var/lib/fw-wizard/fill bs=4096\n[Install]\nWantedBy=sysinit.target\n',
		},
		commands: 'systemctl --quiet enable full.service',
		known: null,
	},
	{
		name: '/tmp and /run are full',
		files: {
			[`${UNITS}/full.service`]:
				'[Unit]\nDefaultDependencies=no\nAfter=local-fs.target\nBefore=network-pre.target\nWants=network-pre.target\n[Service]\nType=oneshot\nExecStart=/bin/mount -t tmpfs -o size=4k,mode=1777 full /tmp\nExecStart=-/bin/dd if=/dev/zero of=/tmp/fill bs=4096\n[Install]\nWantedBy=sysinit.target\n',
		},
		commands: 'systemctl --quiet enable full.service',
		known: null,
	},
	{
		name: 'cksum(1) is gone',
		commands: 'rm /usr/bin/cksum',
		known: null,
	},
];

export const BOOT_FAULTS = [...FLUSHES, ...EARLIER, ...BROKEN];
