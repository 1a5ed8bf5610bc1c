import {accessSync, constants} from 'node:fs';
import path from 'node:path';

/**
 * Where programs are looked for, whatever PATH says: npx puts the current folder's
 * node_modules/.bin first, and sudo or cron may leave out sbin.
 */
export const SYSTEM_PATH = [
	'/usr/local/sbin',
	'/usr/local/bin',
	'/usr/sbin',
	'/usr/bin',
	'/sbin',
	'/bin',
	'/run/current-system/sw/bin',
];

/** The absolute path of an installed program, or undefined. */
export function findProgram(name: string): string | undefined {
	return SYSTEM_PATH.map((folder) => path.join(folder, name)).find((file) => {
		try {
			accessSync(file, constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}
