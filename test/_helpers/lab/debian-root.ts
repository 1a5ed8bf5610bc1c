import {createHash} from 'node:crypto';
import {existsSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {execute, succeed} from './programs.ts';

/** The Debians that are booted. */
export const SUITES = ['bookworm', 'trixie'] as const;
export type Suite = (typeof SUITES)[number];

/** Those of this run: FWW_SUITES=bookworm,trixie. Default: the stable one of this machine's age. */
export function suitesHere(): readonly Suite[] {
	const names = (process.env.FWW_SUITES ?? 'bookworm').split(',');
	return names.map((name) => {
		const suite = SUITES.find((candidate) => candidate === name.trim());
		if (suite === undefined) {
			throw new Error(`FWW_SUITES names "${name}"; known are ${SUITES.join(', ')}`);
		}

		return suite;
	});
}

/** Where the systems are kept from one run to the next. */
export const CACHE = '/var/cache/fww-test';

const PACKAGES = [
	...['systemd-sysv', 'dbus', 'libpam-systemd', 'kmod', 'procps'],
	...['iproute2', 'iptables', 'nftables', 'conntrack', 'iputils-ping', 'openssh-server'],
	// Neighbours, switched off until a test wants them.
	...['ufw', 'firewalld', 'fail2ban'],
];

/** Bookworm's own Node is too old: it gets the one that runs the tests. */
const OWN_NODE: Readonly<Record<Suite, boolean>> = {bookworm: false, trixie: true};

/** How the network comes up: by the machine's own configuration, as on any machine. */
const NETWORK = `[Match]
Name=eth0
[Network]
IPv6AcceptRA=no
LinkLocalAddressing=ipv6
[Address]
Address=192.0.2.1/24
[Address]
Address=2001:db8::1/64
DuplicateAddressDetection=none
`;

/** Tests knock and break sessions off more than any user does. */
const SSHD: Readonly<Record<Suite, string>> = {
	bookworm: 'MaxStartups 100\nUseDNS no\n',
	trixie: 'MaxStartups 100\nUseDNS no\nPerSourcePenalties no\n',
};

/**
 * Makes the system in "$1", whole or not at all: debootstrap beside it, then a rename. Only one does
 * it at a time; the others wait and find it made.
 */
const MAKE = `
[ ! -e "$1" ] || exit 0
rm -rf "\${1%-*}"-*.partial
root=$1.partial
debootstrap --variant=minbase --include="$3" "$2" "$root" "$4"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
[ -z "$5" ] || install -m 755 "$5" "$root/usr/local/bin/node"
chroot "$root" node --version
printf %s "$6" >"$root/etc/systemd/network/10-eth0.network"
printf %s "$7" >"$root/etc/ssh/sshd_config.d/fww.conf"
echo debian >"$root/etc/hostname"
chroot "$root" useradd --create-home --shell /bin/bash guest
chroot "$root" systemctl enable systemd-networkd.service ssh.service
chroot "$root" systemctl disable ufw.service firewalld.service fail2ban.service
mv "$root" "$1"
`;

/**
 * The folder of a Debian that boots with systemd, never to be written to. Made on the first call,
 * which takes a minute and needs the mirror that this machine's apt uses.
 */
export async function debianRoot(suite: Suite): Promise<string> {
	mkdirSync(CACHE, {recursive: true});
	const packages = [...PACKAGES, ...(OWN_NODE[suite] ? ['nodejs'] : [])].join(',');
	const node = OWN_NODE[suite] ? '' : process.execPath;
	const wanted = [suite, packages, node && process.version, NETWORK, SSHD[suite], MAKE];
	const key = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12);
	const root = path.join(CACHE, `${suite}-${key}`);
	if (!existsSync(root)) {
		// What debootstrap mounts is gone with it, however it ends: nothing is removed through a mount.
		const alone = ['unshare', '--mount', '--propagation', 'private'];
		const words = [root, suite, packages, await mirror(), node, NETWORK, SSHD[suite]];
		await succeed(
			[...alone, 'flock', path.join(CACHE, 'lock'), 'sh', '-ec', MAKE, 'sh', ...words],
			{timeout: 600_000},
		);
	}

	return root;
}

/** Where this machine gets its Debian packages, or where everybody does. */
async function mirror(): Promise<string> {
	const format = ['--format', '$(LABEL) $(REPO_URI)', 'Created-By: Packages'];
	const {stdout} = await execute(['apt-get', 'indextargets', ...format]);
	return /^Debian (\S+)/m.exec(stdout)?.[1] ?? 'http://deb.debian.org/debian';
}
