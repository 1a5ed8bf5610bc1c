import {makeFolder} from '../host/files/make-folder.ts';
import {assertPrivate} from '../host/files/trust.ts';

/** The folder of the policy and of the files that the boot loads. */
export const CONFIG_DIR = '/etc/fw-wizard';
/** The pending change, backups and the journal. */
export const STATE_DIR = '/var/lib/fw-wizard';

/** The rules that the boot loads, of both families: a script that loads them. */
export const RESTORE_FILE = `${CONFIG_DIR}/restore`;
/** The same with the floor alone, for a boot that finds that script damaged. */
export const FLOOR_FILE = `${CONFIG_DIR}/floor`;
/** The rules of each family in versions before, whose script read them from here. */
export const OLD_RULES_FILES = [`${CONFIG_DIR}/rules.v4`, `${CONFIG_DIR}/rules.v6`] as const;

export const POLICY_FILE = `${CONFIG_DIR}/policy.json`;
/** The init system that the user has chosen, where it is not the detected one. */
export const BOOT_FILE = `${CONFIG_DIR}/boot`;
/** The script that watches over the loaded rules, and how the user wants them watched, where that was said. */
export const WATCH_FILE = `${CONFIG_DIR}/watch`;
export const WATCH_CHOICE_FILE = `${CONFIG_DIR}/watching`;
/** What that script remembers and has found. */
export const WATCH_STATE_DIR = `${STATE_DIR}/watch`;
/** What it tells at logins (pam_motd(8)); gone with the next boot. */
export const WATCH_MOTD_FILE = '/run/motd.d/fw-wizard';
/** The items of the checklist that the user has ticked off. */
export const TICKS_FILE = `${STATE_DIR}/ticks.json`;
/** What `check` found last. */
export const LAST_CHECK_FILE = `${STATE_DIR}/last-check.json`;
/** The last proof of the policy that was applied. */
export const LAST_PROOF_FILE = `${STATE_DIR}/last-proof.json`;
export const JOURNAL_FILE = `${STATE_DIR}/journal`;
/** The command that checks the firewall, as it worked when a change was confirmed: scripts print it. */
export const COMMAND_FILE = `${STATE_DIR}/command`;
export const LOCK_FILE = `${STATE_DIR}/lock`;
export const CHANGES_DIR = `${STATE_DIR}/changes`;
/** A change of an exported script that waits for its confirmation. A boot empties /run, and so ends the change. */
export const EXPORT_STATE = '/run/fw-wizard-export';

/** Makes a folder that only root may read. @throws {HostError} where others may write to it */
export function makePrivate(folder: string): void {
	assertPrivate(folder);
	makeFolder(folder, 0o700);
}

/**
 * With 4 or 6 behind it: the iptables by which the boot has set the policy of INPUT to DROP, where it could make no
 * chain. A boot empties /run, as it does the rules.
 */
export const CLOSED_NOTE = '/run/fw-wizard-closed-ipv';
