import {existsSync} from 'node:fs';
import path from 'node:path';
import {findProgram} from '../exec/find-program.ts';
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
export const INSTALLABLE_INITS = ['systemd', 'openrc', 'ifupdown', 'sysvinit'] as const;
export type InstalledInit = (typeof INSTALLABLE_INITS)[number];

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
 * have no running systemd, and are booted by it all the same.
 */
export function findInstalledInits(): readonly InstalledInit[] {
	const installed: Readonly<Record<InstalledInit, boolean>> = {
		systemd: findProgram('systemctl') !== undefined,
		openrc: findProgram('openrc-run') !== undefined,
		// Other packages have hooks in the folder too, without ifupdown.
		ifupdown: existsSync('/etc/network/if-pre-up.d') && findProgram('ifup') !== undefined,
		sysvinit:
			existsSync('/etc/inittab') &&
			['update-rc.d', 'chkconfig'].some((name) => findProgram(name) !== undefined),
	};
	return INSTALLABLE_INITS.filter((name) => installed[name]);
}

/** Whether systemd runs and can be asked from here (sd_booted(3)). */
export function systemdAnswers(): boolean {
	return existsSync('/run/systemd/system');
}
