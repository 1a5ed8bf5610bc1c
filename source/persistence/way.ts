import type {Keeping} from '../change/kept-files.ts';

/** A way of having the restore script run at boot. */
export type Way = {
	readonly name: 'systemd' | 'openrc' | 'ifupdown';
	/** The files that it takes, beside the rules and the script. */
	readonly files: (modules: readonly string[]) => Keeping['files'];
	readonly activate: Omit<Keeping, 'files'>;
	/** Around the removal of its files. */
	readonly deactivate: Omit<Keeping, 'files'>;
};
