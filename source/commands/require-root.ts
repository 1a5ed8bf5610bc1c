import {isRoot} from '../host/machine/facts-sync.ts';
import {HostError} from '../lib/errors.ts';

/** @throws {HostError} when this is not root, with the command that works */
export function requireRoot(command: string): void {
	if (!isRoot()) {
		throw new HostError('Only root can change the firewall', `Run: sudo ${command}`);
	}
}
