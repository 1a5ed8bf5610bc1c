// The manual and the completions as files, printed by the program itself.
import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** The file of each, below the folder of a build. */
export const REFERENCE = {
	'fw-wizard.8': ['man'],
	'completions/fw-wizard.bash': ['completion', 'bash'],
	'completions/_fw-wizard': ['completion', 'zsh'],
	'completions/fw-wizard.fish': ['completion', 'fish'],
};

/**
 * @param {string} script the bundle
 * @param {string} folder
 */
export function writeReference(script, folder) {
	mkdirSync(path.join(folder, 'completions'), {recursive: true});
	for (const [file, words] of Object.entries(REFERENCE)) {
		writeFileSync(path.join(folder, file), execFileSync(process.execPath, [script, ...words]));
	}
}
