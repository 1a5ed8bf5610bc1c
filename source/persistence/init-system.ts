import type {FilePlan} from '../change/boot-files.ts';
import {INSTALLABLE_INITS} from '../host/machine/init-system.ts';
import type {WatchedService} from './watch/watch-script.ts';

/** What can run the restore script at boot. `none`: the user arranges that without fw-wizard. */
export const INIT_SYSTEM_NAMES = [...INSTALLABLE_INITS, 'none'] as const;
export type InitSystemName = (typeof INIT_SYSTEM_NAMES)[number];

/** What the user may choose: one of these, or `auto`, which detects the init system again. */
export const BOOT_CHOICES = ['auto', ...INIT_SYSTEM_NAMES] as const;
export type BootChoice = (typeof BOOT_CHOICES)[number];

/** How one init system is told to run the restore script at boot. */
export type InitSystem = {
	readonly name: InitSystemName;
	/** The files that it needs beside the rules and the script. */
	readonly files: (modules: readonly string[]) => FilePlan['files'];
	readonly activate: Omit<FilePlan, 'files'>;
	/** Why the init system will not run it, as far as files show that. */
	readonly findFault: () => string | undefined;
	/** The commands before and after the removal of its files. */
	readonly deactivate: Omit<FilePlan, 'files'>;
	/**
	 * What is left of `activate`, and of what begins the watch, where the files and these links are there already.
	 * Absent: all of it.
	 */
	readonly again?: {readonly links: readonly string[]} & Pick<FilePlan, 'after'>;
	/** How it has the loaded rules watched; absent where the user sees to the boot. */
	readonly watch?: Watch;
};

/** How one init system is told to run the watch script. */
export type Watch = {
	readonly service: WatchedService;
	/** The files that it needs beside the script, for a look every so many seconds. */
	readonly files: (every: number) => FilePlan['files'];
	readonly begin: Omit<FilePlan, 'files'>;
	readonly end: Omit<FilePlan, 'files'>;
};
