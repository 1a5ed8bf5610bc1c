import {readFileSync} from 'node:fs';
import type {Manager} from '../../existing/cleanup-plan.ts';
import {describeError, HostError} from '../../lib/errors.ts';

/**
 * A file of another firewall.
 * @returns undefined where there is none
 * @throws {HostError} where it is there and not ours to read: what it says would be lost in silence
 */
export function readForeign(file: string, manager: Manager): string | undefined {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		const {code = ''} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT' || code === 'ENOTDIR') {
			return undefined;
		}

		throw new HostError(
			`What ${manager} allows cannot be read: ${describeError(error, file)}`,
			'Run the command as root, or say what to open, as in --open 22/tcp',
		);
	}
}
