import {expect, test} from 'vitest';
import {
	CONTAINER_FILES,
	judgeLasting,
	type Lasting,
} from '../../source/persistence/volatile-root.ts';

const PROC = '22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw';
const RUN = '24 27 0:23 / /run rw,nosuid - tmpfs tmpfs rw,size=402412k';
const DISK = '27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro';
const overlay = (upper: string) =>
	`27 1 0:30 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/lower,upperdir=${upper},workdir=/work`;

const CASES: ReadonlyArray<readonly [string, readonly string[], string, Lasting, string?]> = [
	['a disk', [PROC, RUN, DISK], '', 'lasts'],
	[
		'a disk, and the rootfs of the initramfs below it',
		['1 1 0:2 / / rw - rootfs rootfs rw', DISK],
		'',
		'lasts',
	],
	[
		'an overlay on a disk that is seen',
		['30 27 254:2 / /rw rw - ext4 /dev/vda2 rw', overlay('/rw/upper')],
		'',
		'unseen',
	],
	[
		'overlayroot=tmpfs',
		[overlay('/media/root-rw/overlay'), '31 27 0:31 / /media/root-rw rw - tmpfs tmpfs-root rw'],
		'overlayroot=tmpfs',
		'in memory',
	],
	[
		'an overlay of the Raspberry Pi, whose tmpfs the initramfs has hidden',
		[overlay('/overlay/upper')],
		'quiet boot=overlay',
		'in memory',
	],
	[
		'a live system',
		[RUN, overlay('/run/live/overlay/rw'), '33 24 0:33 / /run/live/overlay rw - tmpfs tmpfs rw'],
		'',
		'in memory',
	],
	[
		'systemd.volatile=overlay',
		[overlay('/run/systemd/overlay-sysroot/upper')],
		'systemd.volatile=overlay',
		'in memory',
	],
	['a container', [overlay('/var/lib/docker/overlay2/5b/diff')], 'overlayroot=disabled', 'unseen'],
	[
		'a container, below a folder that lies in memory here',
		[RUN, overlay('/run/host/upper')],
		'',
		'unseen',
	],
	['a root in memory', ['27 1 0:30 / / rw - tmpfs tmpfs rw'], '', 'in memory'],
	['an /etc in memory', [DISK, '40 27 0:40 / /etc rw - tmpfs tmpfs rw'], '', 'in memory'],
	[
		'an /etc in memory, with a disk over it',
		[DISK, '40 27 0:40 / /etc rw - tmpfs tmpfs rw', '41 40 254:3 / /etc rw - ext4 /dev/vda3 rw'],
		'',
		'lasts',
	],
	[
		'an /etc on a disk, and a root in memory below it',
		['27 1 0:30 / / rw - tmpfs tmpfs rw', '41 27 254:3 / /etc rw - ext4 /dev/vda3 rw'],
		'',
		'lasts',
	],
	[
		'the folder of the units in memory',
		[DISK, '40 27 0:40 / /etc/systemd rw - tmpfs tmpfs rw'],
		'',
		'in memory',
	],
	[
		'a folder beside ours in memory',
		[DISK, '40 27 0:40 / /etc/fw-wizard.d rw - tmpfs tmpfs rw'],
		'',
		'lasts',
	],
	['a root on a disk in memory', ['27 1 1:0 / / rw - ext2 /dev/ram0 rw'], '', 'in memory'],
	['an /etc on zram', [DISK, '40 27 253:0 / /etc rw - ext4 /dev/zram1 rw'], '', 'in memory'],
	['systemd.volatile=state', [overlay('/upper')], 'systemd.volatile=state', 'unseen'],
	['a live system that keeps it', [overlay('/upper')], 'boot=live persistence', 'unseen'],
	[
		'a container of Docker on a host that is a live system',
		[overlay('/var/lib/docker/overlay2/5b/diff')],
		'boot=live',
		'container',
		'/.dockerenv',
	],
	[
		'a container of Podman with a volume for the rules alone',
		[overlay('/upper'), '41 27 254:3 / /etc/fw-wizard rw - ext4 /dev/vda3 rw'],
		'',
		'container',
		'/run/.containerenv',
	],
	[
		'a container with a volume for /etc',
		[overlay('/u'), '41 27 254:3 / /etc rw - ext4 /dev/vda3 rw'],
		'',
		'lasts',
		'/.dockerenv',
	],
	['a machine whose disk was made of an image', [DISK], '', 'lasts', '/.dockerenv'],
	['nothing that can be read', [], '', 'lasts'],
];

test.each(
	CASES.map(([name, mounts, parameters, lasting, file]) => ({
		...{name, mounts, parameters, lasting, file},
	})),
)('whether /etc lasts: $name', ({mounts, parameters, lasting, file}) => {
	const exists = (name: string) =>
		CONTAINER_FILES.includes(name) ? name === file : !name.startsWith('/run/host/');
	expect(judgeLasting(mounts.join('\n'), parameters, exists)).toBe(lasting);
});
