import {rmSync} from 'node:fs';
import {readText} from '../files/read-text.ts';

/** Where `--host SERVER --install` puts the program on a server, and the command that runs it. */
export const INSTALLED_DIR = '/usr/local/lib/fw-wizard';
export const INSTALLED_COMMAND = '/usr/local/bin/fw-wizard';
/** A line of that command, by which it is told from another program of that name. */
export const INSTALLED_MARK =
	'# Installed by fw-wizard --install. fw-wizard undo --all removes it, and /usr/local/lib/fw-wizard.';

/** Removes both, where they were installed so. This very program may run from there. */
export function removeInstalled(): void {
	if (readText(INSTALLED_COMMAND)?.split('\n').includes(INSTALLED_MARK)) {
		rmSync(INSTALLED_COMMAND, {force: true});
		rmSync(INSTALLED_DIR, {recursive: true, force: true});
	}
}
