import {ask} from '../exec/run.ts';
import {mayUseSystemd} from './init-system.ts';

/**
 * Whether systemd starts a unit at boot; also where systemd does not run now.
 * @throws {HostError} where systemctl gives no answer: another firewall must not be overlooked for that
 */
export async function isEnabled(unit: string): Promise<boolean> {
	return (await ask('systemctl', ['is-enabled', unit])).trim() === 'enabled';
}

/** Whether a unit of systemd runs now. @throws {HostError} as `isEnabled` */
export async function isActive(unit: string): Promise<boolean> {
	return mayUseSystemd() && (await ask('systemctl', ['is-active', unit])) !== '';
}
