import type {FilePlan} from '../change/boot-files.ts';
import {INSTALLABLE_INITS} from '../host/machine/init-system.ts';

/** The ways of having the restore script run at boot. `none`: somebody else sees to it. */
export const INIT_SYSTEM_NAMES = [...INSTALLABLE_INITS, 'none'] as const;
export type InitSystemName = (typeof INIT_SYSTEM_NAMES)[number];

/** What the user may say: a way, or that it is to be found out again. */
export const BOOT_CHOICES = ['auto', ...INIT_SYSTEM_NAMES] as const;
export type BootChoice = (typeof BOOT_CHOICES)[number];

/** A way of having the restore script run at boot. */
export type InitSystem = {
	readonly name: InitSystemName;
	/** The files that it takes, beside the rules and the script. */
	readonly files: (modules: readonly string[]) => FilePlan['files'];
	readonly activate: Omit<FilePlan, 'files'>;
	/** Whether that has worked, as far as files show it. */
	readonly isActivated: () => boolean;
	/** Around the removal of its files. */
	readonly deactivate: Omit<FilePlan, 'files'>;
};
