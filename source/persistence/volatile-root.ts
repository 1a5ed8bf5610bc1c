import {existsSync} from 'node:fs';
import {CONFIG_DIR} from '../change/paths.ts';
import {readText} from '../host/files/read-text.ts';
import {REHEARSAL_MOUNT} from '../host/rehearsal/is-rehearsal.ts';

/**
 * Whether what is written to /etc is there after a reboot. `unseen`: on an overlay made from outside;
 * `container`: on the layer of a container, which is gone when that is made anew from its image.
 */
export type Lasting = 'lasts' | 'in memory' | 'unseen' | 'container';

/** Whether what is written to /etc on this machine lasts; in a rehearsal, as it is outside. */
export function findLasting(): Lasting {
	const [mounts, parameters] = ['/proc/self/mountinfo', '/proc/cmdline'].map((file) =>
		readText(file),
	);
	return judgeLasting(mounts ?? '', parameters ?? '', existsSync);
}

/** What an administrator should know of it, to stand behind a statement about the boot. */
export function describeLasting(): string | undefined {
	switch (findLasting()) {
		case 'unseen':
			return '/ is an overlay, which may forget what is written to it';
		case 'container':
			return 'this is a container, which forgets the rules when it is made anew from its image';
		default:
			return undefined;
	}
}

/** Where the rules and what starts them are written. */
const PLACES = [CONFIG_DIR, '/etc/systemd/system', '/etc/init.d', '/etc'];

/**
 * Kernel parameters of systems whose root is an overlay in memory: overlayroot, raspi-config, live-boot and casper
 * (which keep it on a disk where they are told to), systemd (whose `state` is about /var alone).
 */
const IN_MEMORY =
	/(?:^| )(?:overlayroot=(?!disabled)|boot=(?:overlay|live|casper)\b(?!.* persisten)|systemd\.volatile=(?!no|state|0|false|off))/;

/** Made by Docker and by Podman in their containers. A machine whose disk was made of such an image may have it too. */
export const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv'];

/**
 * The same, of the mounts of a process (/proc/self/mountinfo, proc_pid_mountinfo(5)) and the kernel's
 * parameters. An overlay writes to its `upperdir`, which may lie outside of the root: that of a container,
 * or one that the initramfs has mounted.
 */
export function judgeLasting(
	mountinfo: string,
	parameters: string,
	exists: (file: string) => boolean,
): Lasting {
	// The last mount of a place hides those before.
	const mounts = new Map(
		mountinfo
			.split('\n')
			.flatMap(parseMount)
			.filter(([, {source}]) => source !== REHEARSAL_MOUNT),
	);
	const root = mounts.get('/');
	const below = PLACES.map((place) => mountOf(place, mounts));
	if (below.some(isMemory)) {
		return 'in memory';
	}

	const upper = /(?:^|,)upperdir=((?:[^,\\]|\\.)*)/.exec(root?.options ?? '')?.[1];
	if (root?.type !== 'overlay' || upper === undefined || !below.includes(root)) {
		return 'lasts';
	}

	// Of a container, the path is one of its host, whatever bears that name here, and so are the parameters.
	if (CONTAINER_FILES.some(exists)) {
		return 'container';
	}

	return (exists(upper) && isMemory(mountOf(upper, mounts, '/'))) || IN_MEMORY.test(parameters)
		? 'in memory'
		: 'unseen';
}

/** The mount that a path lies on, of those that are not `without`. */
function mountOf(
	file: string,
	mounts: ReadonlyMap<string, Mount>,
	without?: string,
): Mount | undefined {
	const places = [...mounts.keys()].filter(
		(place) => place !== without && `${file}/`.startsWith(place === '/' ? place : `${place}/`),
	);
	return mounts.get(places.sort((left, right) => right.length - left.length)[0] ?? '');
}

type Mount = {readonly type: string; readonly source: string; readonly options: string};

function parseMount(line: string): ReadonlyArray<readonly [string, Mount]> {
	const [, place, type, source, options] =
		/^(?:\S+ ){4}(\S+) .* - (\S+) (\S+) (\S+)$/.exec(line) ?? [];
	return place === undefined || type === undefined || source === undefined || options === undefined
		? []
		: [[place, {type, source, options}]];
}

/** In memory lie the file systems for that, and any on a disk that does (brd, zram). */
function isMemory(mount: Mount | undefined): boolean {
	return (
		mount !== undefined &&
		(['tmpfs', 'ramfs', 'rootfs'].includes(mount.type) ||
			/^\/dev\/(?:ram|zram)\d+$/.test(mount.source))
	);
}
