import {rootRequired} from '../host/exec/elevation.ts';
import {isRoot} from '../host/machine/host-facts.ts';

/** @throws {HostError} where the user is not root, with the command that works */
export function requireRoot(command: string): void {
	if (!isRoot()) {
		throw rootRequired(command);
	}
}
