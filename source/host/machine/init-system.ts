import {existsSync, realpathSync} from 'node:fs';
import path from 'node:path';
import {findProgram} from '../exec/find-program.ts';
import {listFolder, readText} from '../files/read-text.ts';
import {commandNameOf, link} from '../sockets/processes.ts';

/** What runs as PID 1, or manages the services below it. */
export type RunningInit =
	| 'systemd'
	| 'OpenRC'
	| 'sysvinit'
	| 'runit'
	| 's6'
	| 'BusyBox init'
	| 'unknown';

/** The init systems that fw-wizard can hook its rules into, in the order in which it prefers them. */
export const INSTALLABLE_INITS = ['systemd', 'openrc', 'sysvinit', 'ifupdown'] as const;
type InstalledInit = (typeof INSTALLABLE_INITS)[number];

/**
 * The init system that runs now: the answer to "what started this machine?". In a container that has
 * no init system of its own it is unknown, whatever is installed in it.
 */
export function findRunningInit(): RunningInit {
	const name = commandNameOf(1);
	if (name === 'systemd' || systemdAnswers()) {
		return 'systemd';
	}

	// OpenRC runs below another program as PID 1: its own openrc-init, sysvinit or BusyBox.
	if (name === 'openrc-init' || existsSync('/run/openrc')) {
		return 'OpenRC';
	}

	switch (name) {
		case 'init':
			return whichInit();
		case 'runit':
			return 'runit';
		case 's6-svscan':
			return 's6';
		default:
			return 'unknown';
	}
}

/** Tells apart the programs that are called init. Only root may see which file PID 1 runs. */
function whichInit(): RunningInit {
	const program = path.basename(link('/proc/1/exe'));
	if (program === 'busybox') {
		return 'BusyBox init';
	}

	// sysvinit brings these, and BusyBox lacks them.
	const hasSysvinit = ['/etc/init.d/rcS', '/sbin/telinit'].some((file) => existsSync(file));
	return hasSysvinit ? 'sysvinit' : program === '' ? 'BusyBox init' : 'unknown';
}

/**
 * The init systems that are installed, in order of preference: the answer to "what will start this
 * machine?". It does not ask what runs now: a rehearsal, a chroot and an image under construction
 * have no running systemd, and are booted by it all the same. And systemctl may be installed where
 * another program is PID 1, as OpenRC may be where that is systemd.
 */
export function findInstalledInits(): readonly InstalledInit[] {
	const installed: Readonly<Record<InstalledInit, boolean>> = {
		systemd: findProgram('systemctl') !== undefined && bootsWithSystemd() !== false,
		openrc: findProgram('openrc-run') !== undefined,
		// Other packages have hooks in the folder too, without ifupdown.
		ifupdown: existsSync('/etc/network/if-pre-up.d') && findProgram('ifup') !== undefined,
		sysvinit:
			existsSync('/etc/inittab') &&
			['update-rc.d', 'chkconfig'].some((name) => findProgram(name) !== undefined),
	};
	return INSTALLABLE_INITS.filter((name) => installed[name]);
}

/**
 * Whether the program that the kernel starts is systemd: the parameter `init=`, or the first of these that
 * exists (bootparam(7)). Undefined where none does, as in the image of a container.
 */
function bootsWithSystemd(): boolean | undefined {
	const named = /(?:^| )init=(\S+)/.exec(readText('/proc/cmdline') ?? '')?.[1];
	// In a container these are the parameters of its host.
	const obeyed = named !== undefined && resolve(named) === link('/proc/1/exe') ? [named] : [];
	const program = [...obeyed, '/sbin/init', '/etc/init', '/bin/init'].map(resolve).find(Boolean);
	return program === undefined ? undefined : path.basename(program) === 'systemd';
}

function resolve(file: string): string | undefined {
	try {
		return realpathSync(file);
	} catch {
		return undefined;
	}
}

/**
 * The runlevel of OpenRC in which the file systems are mounted and the network comes up, and the one
 * behind it: `boot` (openrc(8)). Debian puts the scripts of its runlevel S into `sysinit`, and starts no other than
 * that and `default` (its /etc/init.d/rcS and rc).
 */
export function openrcRunlevels(): {readonly early: string; readonly late: string} {
	const starts = ['/etc/inittab', '/etc/init.d/rcS'].map((file) => readText(file) ?? '').join('\n');
	return /^[^#\n]*openrc sysinit\b/m.test(starts) && !/^[^#\n]*openrc boot\b/m.test(starts)
		? {early: 'sysinit', late: 'sysinit'}
		: {early: 'boot', late: 'default'};
}

/** Whether sysvinit starts a script of /etc/init.d in some runlevel (update-rc.d(8), chkconfig(8)). */
export function sysvinitStarts(script: string): boolean {
	return ['/etc', '/etc/rc.d'].some((folder) =>
		listFolder(folder)
			.filter((name) => /^rc[S2-5]\.d$/.test(name))
			.some((name) =>
				listFolder(path.join(folder, name)).some((link) => link.replace(/^S\d\d/, '') === script),
			),
	);
}

/** Whether OpenRC starts a script of /etc/init.d in a runlevel (rc-update(8)). */
export function openrcStarts(script: string, runlevel: string): boolean {
	return existsSync(`/etc/runlevels/${runlevel}/${script}`);
}

/** Whether systemd runs and can be asked from here (sd_booted(3)). */
export function systemdAnswers(): boolean {
	return existsSync('/run/systemd/system');
}
