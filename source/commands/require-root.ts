import {rootRequired} from '../host/exec/elevation.ts';
import {isRoot} from '../host/machine/host-facts.ts';

/**
 * @param args of this program, in the command that works
 * @throws {HostError} where the user is not root
 */
export function requireRoot(args: string): void {
	if (!isRoot()) {
		throw rootRequired(args);
	}
}
