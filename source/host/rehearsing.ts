import process from 'node:process';

/** Set in a rehearsal, to what the program outside hands to the one inside. */
export const REHEARSAL_VARIABLE = 'FW_WIZARD_REHEARSAL';

/** Whether this process was started as a rehearsal. */
export function isRehearsal(): boolean {
	return process.env[REHEARSAL_VARIABLE] !== undefined;
}
