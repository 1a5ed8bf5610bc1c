import {createHash} from 'node:crypto';
import {existsSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import {CACHE, debianRoot, type Suite} from './debian-root.ts';
import {succeed} from './programs.ts';

/** What boots a Debian: systemd, or another init system in its place. */
const INITS = ['systemd', 'sysvinit', 'openrc'] as const;
export type Init = (typeof INITS)[number];

/** As on any machine of that kind: with ifupdown, and with all packages that these recommend. */
const PACKAGES: Readonly<Record<Init, readonly string[]>> = {
	systemd: [],
	sysvinit: ['sysvinit-core', 'ifupdown'],
	openrc: ['openrc', 'sysvinit-core', 'ifupdown'],
};

const INTERFACES = `auto lo
iface lo inet loopback
auto eth0
iface eth0 inet static
	address 192.0.2.1/24
iface eth0 inet6 static
	address 2001:db8::1/64
	dad-attempts 0
	accept_ra 0
`;

/** The last that both run at boot. */
const RC_LOCAL = '#!/bin/sh\ntouch /run/fww-booted\n';

/** Installs the packages from "$5" on over the system "$1", and keeps what that writes in "$2", whole or not at all. */
const ADD = `
[ ! -e "$2" ] || exit 0
rm -rf "$2.partial"
mkdir -p "$2.partial/written" "$2.partial/work" "$2.partial/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2.partial/written,workdir=$2.partial/work" fww-root "$2.partial/root"
system=$1 made=$2 interfaces=$3 last=$4
shift 4
cd "$made.partial/root"
mount -t proc fww-proc proc
mount -t tmpfs fww-run run
cp /etc/resolv.conf etc/resolv.conf
printf '#!/bin/sh\\nexit 101\\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
chroot . apt-get -q update
chroot . apt-get -q -y --allow-remove-essential install "$@"
rm usr/sbin/policy-rc.d
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/*
[ ! -d etc/network ] || printf %s "$interfaces" >etc/network/interfaces
printf %s "$last" >etc/rc.local
chmod 755 etc/rc.local
cd /
umount -R "$made.partial/root"
mv "$made.partial/written" "$made"
rm -rf "$made.partial"
`;

/**
 * A Debian that boots with an init system, and with more packages; none of them is switched off.
 * Made on the first call, as debianRoot() is.
 * @returns its folders for the option `lowerdir` of an overlay, never to be written to
 */
export async function debianVariant(
	suite: Suite,
	init: Init,
	more: readonly string[] = [],
): Promise<string> {
	const system = await debianRoot(suite);
	const packages = [...PACKAGES[init], ...more];
	if (packages.length === 0) {
		return system;
	}

	const wanted = [system, packages, INTERFACES, RC_LOCAL, ADD];
	const key = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12);
	const made = path.join(CACHE, `${suite}-${init}-${key}`);
	if (!existsSync(made)) {
		mkdirSync(CACHE, {recursive: true});
		const words = [system, made, INTERFACES, RC_LOCAL, ...packages];
		await succeed(
			[
				...['unshare', '--mount', '--propagation', 'private'],
				...['flock', path.join(CACHE, 'lock'), 'sh', '-ec', ADD, 'sh', ...words],
			],
			{timeout: 600_000},
		);
	}

	return `${made}:${system}`;
}
