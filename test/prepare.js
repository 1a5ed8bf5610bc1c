// Sees to it that the programs of the system tests are there. Run by `npm test` before all else.
import {spawnSync} from 'node:child_process';
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Each program that the tests start, and the Debian package that has it. */
const PROGRAMS = {
	// Libraries of arm64, for the binary of that architecture.
	'../aarch64-linux-gnu/lib/libatomic.so.1': 'libatomic1-arm64-cross',
	'../aarch64-linux-gnu/lib/libstdc++.so.6': 'libstdc++6-arm64-cross',
	'avahi-daemon': 'avahi-daemon',
	busybox: 'busybox',
	conntrack: 'conntrack',
	cupsd: 'cups-daemon',
	curl: 'curl',
	debootstrap: 'debootstrap',
	dnsmasq: 'dnsmasq-base',
	dropbear: 'dropbear-bin',
	dtach: 'dtach',
	'iptables-legacy': 'iptables',
	keepalived: 'keepalived',
	lintian: 'lintian',
	fish: 'fish',
	groff: 'groff-base',
	ip: 'iproute2',
	ipset: 'ipset',
	'mkfs.ext4': 'e2fsprogs',
	'mosh-server': 'mosh',
	'nc.openbsd': 'netcat-openbsd',
	nft: 'nftables',
	nginx: 'nginx',
	nmap: 'nmap',
	nsenter: 'util-linux',
	pg_ctlcluster: 'postgresql',
	ping: 'iputils-ping',
	'qemu-aarch64': 'qemu-user',
	// The long suite boots a kernel of its own.
	...(process.env.FWW_ROUNDS === 'all' ? {'qemu-system-x86_64': 'qemu-system-x86'} : {}),
	'redis-server': 'redis-server',
	screen: 'screen',
	socat: 'socat',
	ssh: 'openssh-client',
	sshd: 'openssh-server',
	strace: 'strace',
	sudo: 'sudo',
	sysctl: 'procps',
	'systemd-nspawn': 'systemd-container',
	tmux: 'tmux',
	ufw: 'ufw',
	vsftpd: 'vsftpd',
	wg: 'wireguard-tools',
	'wireguard-go': 'wireguard-go',
	zsh: 'zsh',
};

const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** Asked by every package before it starts a daemon; 101 forbids it (Debian Policy, invoke-rc.d). */
const POLICY = '/usr/sbin/policy-rc.d';

const missing = findMissing();
if (missing.length > 0) {
	if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
		fail(missing, 'Install them as root');
	}

	install(missing);
	const still = findMissing();
	if (still.length > 0) {
		fail(still, 'apt-get could not install them');
	}
}

function findMissing() {
	return Object.entries(PROGRAMS)
		.filter(([program]) => !FOLDERS.some((folder) => existsSync(path.join(folder, program))))
		.map(([, name]) => name);
}

/**
 * @param {readonly string[]} packages
 * @param {string} reason
 * @returns {never}
 */
function fail(packages, reason) {
	process.stderr.write(
		`The tests need these Debian packages: ${packages.join(' ')}\n` +
			`${reason}: apt-get install --no-install-recommends ${packages.join(' ')}\n`,
	);
	process.exit(3);
}

/** @param {readonly string[]} packages */
function install(packages) {
	process.stderr.write(`Installing for the tests: ${packages.join(' ')}\n`);
	const forbids = !existsSync(POLICY);
	// Ctrl-C ends apt-get, and we clean up behind it.
	process.on('SIGINT', () => {});
	if (forbids) {
		writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', {mode: 0o755});
	}

	try {
		const words = ['install', '-y', '--no-install-recommends', ...packages];
		// The lists of packages may be missing, or name versions that are gone.
		if (!apt(words)) {
			apt(['update']);
			apt(words);
		}
	} finally {
		if (forbids) {
			rmSync(POLICY);
		}
	}
}

/** @param {readonly string[]} words */
function apt(words) {
	const {status, signal} = spawnSync('apt-get', ['-q', ...words], {
		// What it says goes where our own words go.
		stdio: ['ignore', 2, 2],
		env: {...process.env, DEBIAN_FRONTEND: 'noninteractive'},
	});
	if (signal !== null) {
		throw new Error(`apt-get was ended by ${signal}`);
	}

	return status === 0;
}
