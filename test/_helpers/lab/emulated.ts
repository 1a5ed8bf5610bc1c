import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {CLI} from './cli.ts';
import {PROGRAM} from './debian.ts';
import {debianVariant} from './debian-variant.ts';
import {succeed} from './programs.ts';

/** Runs when all else has started; what it prints goes to the second serial line. */
const UNIT = `[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c "stty -F /dev/ttyS1 raw; sh /opt/fww-script >/dev/ttyS1 2>&1; systemctl poweroff"
[Install]
WantedBy=default.target
`;

/** Writes a disk "$2/disk" with the system "$1", the program "$3", the script "$4" and its unit "$5". */
const MAKE = `
mkdir "$2/written" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/written,workdir=$2/work" fww-root "$2/root"
cd "$2/root"
mkdir -p "opt/fw-wizard"
cp "$3" ".${PROGRAM}"
printf '{"type": "commonjs"}' >opt/fw-wizard/package.json
printf %s "$4" >opt/fww-script
printf %s "$5" >etc/systemd/system/fww-script.service
chroot . systemctl -q enable fww-script.service
cp boot/vmlinuz-* "$2/kernel"
cp boot/initrd.img-* "$2/initrd"
truncate -s 3G "$2/disk"
mkfs.ext4 -q -d . "$2/disk"
cd /
umount "$2/root"`;

/**
 * Boots a Debian 12 with a kernel of its own in an emulator, which takes minutes, runs a script of sh as root, and
 * shuts it down.
 * @returns what the script has printed
 */
export async function runEmulated(script: string): Promise<string> {
	const root = await debianVariant('bookworm', 'systemd', ['linux-image-amd64']);
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fww-emulated-'));
	try {
		await succeed(
			[
				...['unshare', '--mount', '--propagation', 'private'],
				...['sh', '-ec', MAKE, 'sh', root, folder, CLI, script, UNIT],
			],
			{timeout: 300_000},
		);
		const file = (name: string) => path.join(folder, name);
		await succeed(
			[
				...['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-m', '1024', '-no-reboot'],
				...['-kernel', file('kernel'), '-initrd', file('initrd'), '-display', 'none'],
				...['-append', 'root=/dev/vda rw console=ttyS0 quiet', '-nic', 'none'],
				...['-drive', `file=${file('disk')},format=raw,if=virtio,cache=unsafe`],
				...['-serial', `file:${file('console')}`, '-serial', `file:${file('printed')}`],
			],
			{timeout: 1_200_000},
		);
		return readFileSync(file('printed'), 'utf8');
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}
