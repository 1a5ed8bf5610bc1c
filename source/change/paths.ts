import {mkdirSync} from 'node:fs';
import {assertPrivate} from '../host/files/atomic-write.ts';

/** What was applied and what the boot loads. */
export const CONFIG_DIR = '/etc/fw-wizard';
/** The pending change, backups and the journal. */
export const STATE_DIR = '/var/lib/fw-wizard';

/** What the boot loads, and the script that does it. */
export const RULES_FILES = {4: `${CONFIG_DIR}/rules.v4`, 6: `${CONFIG_DIR}/rules.v6`} as const;
export const RESTORE_FILE = `${CONFIG_DIR}/restore`;

export const POLICY_FILE = `${CONFIG_DIR}/policy.json`;
/** How the user wants the script to be run at boot, where that is not as it is found out. */
export const BOOT_FILE = `${CONFIG_DIR}/boot`;
/** What the user has looked at and ticked off. */
export const TICKS_FILE = `${STATE_DIR}/ticks.json`;
export const JOURNAL_FILE = `${STATE_DIR}/journal`;
export const LOCK_FILE = `${STATE_DIR}/lock`;
export const CHANGES_DIR = `${STATE_DIR}/changes`;

/** Makes a folder that only root may look into. @throws {HostError} where one is that is not ours alone */
export function makePrivate(folder: string): void {
	assertPrivate(folder);
	mkdirSync(folder, {recursive: true, mode: 0o700});
}
