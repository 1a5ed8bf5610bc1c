import {existsSync} from 'node:fs';
import {readText} from '../host/files/read-text.ts';

/** Whether what is written to /etc is there after a reboot. `unseen`: on an overlay made from outside. */
export type Lasting = 'lasts' | 'in memory' | 'unseen';

/** Whether what is written to /etc on this machine lasts. */
export function findLasting(): Lasting {
	const [mounts, parameters] = ['/proc/self/mountinfo', '/proc/cmdline'].map((file) =>
		readText(file),
	);
	return judgeLasting(mounts ?? '', parameters ?? '', existsSync);
}

/** Kernel parameters of systems whose root is an overlay in memory: overlayroot, raspi-config, live-boot, systemd. */
const IN_MEMORY =
	/(?:^| )(?:overlayroot=(?!disabled)|boot=(?:overlay|live|casper)\b|systemd\.volatile=(?!no))/;

/**
 * The same, of the mounts of a process (/proc/self/mountinfo, proc_pid_mountinfo(5)) and the kernel's
 * parameters. An overlay writes to its `upperdir`, which may lie outside of the root: that of a container,
 * or one that the initramfs has mounted.
 */
export function judgeLasting(
	mountinfo: string,
	parameters: string,
	exists: (folder: string) => boolean,
): Lasting {
	// The last mount of a place hides those before.
	const mounts = new Map(mountinfo.split('\n').flatMap(parseMount));
	const own = mounts.get('/etc');
	const root = mounts.get('/');
	if (isMemory(own) || isMemory(root)) {
		return 'in memory';
	}

	const upper = /(?:^|,)upperdir=((?:[^,\\]|\\.)*)/.exec(root?.options ?? '')?.[1];
	if (root?.type !== 'overlay' || upper === undefined) {
		return 'lasts';
	}

	const below = [...mounts.keys()]
		.filter((place) => place !== '/' && `${upper}/`.startsWith(`${place}/`))
		.sort((left, right) => right.length - left.length)[0];
	// Of a container, the path is one of its host, whatever bears that name here.
	return (below !== undefined && exists(upper) && isMemory(mounts.get(below))) ||
		IN_MEMORY.test(parameters)
		? 'in memory'
		: 'unseen';
}

type Mount = {readonly type: string; readonly options: string};

function parseMount(line: string): ReadonlyArray<readonly [string, Mount]> {
	const [, place, type, options] = /^(?:\S+ ){4}(\S+) .* - (\S+) \S+ (\S+)$/.exec(line) ?? [];
	return place === undefined || type === undefined || options === undefined
		? []
		: [[place, {type, options}]];
}

function isMemory(mount: Mount | undefined): boolean {
	return mount?.type === 'tmpfs' || mount?.type === 'ramfs' || mount?.type === 'rootfs';
}
