import {existsSync} from 'node:fs';
import {run} from '../exec/run.ts';
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

/** Whether a unit of systemd is started at boot; also where systemd does not run now. */
export async function isEnabled(unit: string): Promise<boolean> {
	const {stdout} = await run('systemctl', ['is-enabled', unit]);
	return stdout.trim() === 'enabled';
}

/** Whether a unit of systemd runs now. */
export async function isActive(unit: string): Promise<boolean> {
	return hasSystemd() && (await run('systemctl', ['--quiet', 'is-active', unit])).status === 0;
}
