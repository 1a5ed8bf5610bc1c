import {existsSync, lstatSync, statSync} from 'node:fs';
import {ask} from '../exec/run.ts';
import {link} from '../sockets/processes.ts';
import {findInstalledInits, openrcStarts, sysvinitStarts} from './init-system.ts';

/** Where systemd listens to root, next to its bus, in the view of PID 1 (systemd(1)). */
const SYSTEMD_SOCKET = '/proc/1/root/run/systemd/private';

/**
 * The words in front of a program that talks to systemd. A login in a mount namespace of its own
 * (pam_namespace(8), PrivateTmp=) may have another /run than PID 1, whose one is then entered.
 * @returns undefined where no systemd runs that acts on the network of this process
 */
export function wayToSystemd(): readonly string[] | undefined {
	const isSameAsInit = (kind: 'net' | 'mnt') => {
		const init = link(`/proc/1/ns/${kind}`);
		return init !== '' && init === link(`/proc/self/ns/${kind}`);
	};
	if (!existsSync(SYSTEMD_SOCKET) || !isSameAsInit('net')) {
		return undefined;
	}

	return isSameAsInit('mnt') ? [] : ['nsenter', '--mount=/proc/1/ns/mnt', '--'];
}

/**
 * Whether systemd would find the very file under this path: only then may it be told to run it. The
 * kernel shows the view of PID 1 only to a process that may trace it (proc(5)): in a container root may not.
 */
export function isFileOfSystemd(file: string): boolean {
	try {
		const [here, there] = [statSync(file), statSync(`/proc/1/root${file}`)];
		return here.dev === there.dev && here.ino === there.ino;
	} catch {
		return false;
	}
}

/**
 * Whether a service starts at boot, by its unit of systemd, or where another init system boots this
 * machine, by its script of the same name; also where that does not run now.
 * @throws {HostError} where systemctl gives no answer: another firewall must not be overlooked for that
 */
export async function isEnabled(unit: string): Promise<boolean> {
	const [init] = findInstalledInits();
	const script = unit.replace(/\.service$/, '');
	if (init === 'openrc') {
		return ['sysinit', 'boot', 'default'].some((runlevel) => openrcStarts(script, runlevel));
	}

	if (init !== undefined && init !== 'systemd') {
		return sysvinitStarts(script);
	}

	return mayBeEnabled(unit) && (await ask('systemctl', ['is-enabled', unit])).trim() === 'enabled';
}

/** Where systemd reads units, what comes first replaces what comes later (systemd.unit(5)). */
export const UNIT_FOLDERS = [
	...['/etc/systemd/system.control', '/run/systemd/system.control'],
	...['/run/systemd/generator.early', '/etc/systemd/system', '/etc/systemd/system.attached'],
	...['/run/systemd/system', '/run/systemd/system.attached', '/run/systemd/generator'],
	...['/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'],
	'/run/systemd/generator.late',
];

/** Whether there is a unit of that name, or a script: systemctl takes longer to say that there is none. */
function mayBeEnabled(unit: string): boolean {
	const names = [unit, `${unit}.service`, unit.replace(/\.service$/, '')];
	return (
		// PID 1 has another view of the file system than this process.
		(wayToSystemd() ?? []).length > 0 ||
		[...UNIT_FOLDERS, '/etc/init.d'].some((folder) =>
			names.some((name) => lstatSync(`${folder}/${name}`, {throwIfNoEntry: false}) !== undefined),
		)
	);
}

/** Whether a unit of systemd runs now. @throws {HostError} as `isEnabled` */
export async function isActive(unit: string): Promise<boolean> {
	const way = wayToSystemd();
	const [program = '', ...args] = [...(way ?? []), 'systemctl', 'is-active', unit];
	return way !== undefined && (await ask(program, args)) !== '';
}
