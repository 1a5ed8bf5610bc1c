import {FLOOR_FILE, RESTORE_FILE} from '../../change/paths.ts';
import {assertTrusted} from '../../host/files/trust.ts';
import {SUM_LINE} from '../restore-script.ts';

/**
 * What every init system runs at boot: POSIX sh, the same for each generation of the rules, so that
 * one rename of the restore script switches them. It runs the script only where its checksum is
 * right: sh would run a damaged one up to the fault, and an empty one with success. Then the floor,
 * which lies in a file of its own, is loaded. Exit status: as of the restore script, and 2 where
 * both files are damaged. A machine without cksum(1), which POSIX asks for, does without that.
 *
 * It has no quote, backslash or percent sign that systemd or another reader would take for its own.
 */
export const RUN_RESTORE = `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
for file in ${RESTORE_FILE} ${FLOOR_FILE}; do
	if [ -f $file ] && { IFS= read -r sum && { ! command -v cksum >/dev/null || [ "$sum" = "${SUM_LINE}$(cksum)" ]; }; } <$file; then
		/bin/sh $file
		status=$?
		[ $file = ${RESTORE_FILE} ] || [ $status != 0 ] || status=1
		[ $status -gt 1 ] || exit $status
	else
		echo "fw-wizard: $file is missing or damaged: it is not run" >&2
	fi
done
echo "fw-wizard: not filtered: neither the rules nor the floor could be loaded" >&2
exit 2`;

/**
 * The same as a command, for a rehearsal of the boot.
 * @throws {HostError} where others than root could have written what it runs
 */
export function bootCommand(): readonly [string, ...string[]] {
	assertTrusted(RESTORE_FILE);
	assertTrusted(FLOOR_FILE);
	// What is done to the policies of a namespace is no note for this machine.
	return ['env', 'CLOSED=/dev/null/', 'sh', '-c', RUN_RESTORE];
}
