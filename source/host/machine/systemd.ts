import {existsSync} from 'node:fs';
import {ask} from '../exec/run.ts';
import {link} from '../sockets/processes.ts';

/** Whether systemd runs here, in our namespaces: else it would act on another network. */
export function hasSystemd(): boolean {
	return (
		existsSync('/run/systemd/system') &&
		['net', 'mnt'].every((kind) => {
			const init = link(`/proc/1/ns/${kind}`);
			return init !== '' && init === link(`/proc/self/ns/${kind}`);
		})
	);
}

/**
 * Whether systemd starts a unit at boot; also where systemd does not run now.
 * @throws {HostError} where systemctl gives no answer: another firewall must not be overlooked for that
 */
export async function isEnabled(unit: string): Promise<boolean> {
	return (await ask('systemctl', ['is-enabled', unit])).trim() === 'enabled';
}

/** Whether a unit of systemd runs now. @throws {HostError} as `isEnabled` */
export async function isActive(unit: string): Promise<boolean> {
	return hasSystemd() && (await ask('systemctl', ['is-active', unit])) !== '';
}
