import {WATCH_FILE} from '../../change/paths.ts';
import {SUM_LINE} from '../restore-script.ts';

/** What the watch script can be asked to do by an init system. */
type WatchTask = 'boot' | 'look' | 'start';

/**
 * What runs the watch script, in one line of POSIX sh: only where its checksum is right. It has no quote,
 * backslash or percent sign that systemd or cron would take for its own.
 */
export function runWatch(task: WatchTask): string {
	const file = WATCH_FILE;
	return `if { IFS= read -r sum && { ! command -v cksum >/dev/null || [ "$sum" = "${SUM_LINE}$(cksum)" ]; }; } <${file}; then exec /bin/sh ${file} ${task}; fi; echo "fw-wizard: ${file} is missing or damaged: it is not run" >&2; exit 2`;
}

/** The lines of an init script that start it behind the rules; it is in the background then. */
export const START_WATCH = `	[ ! -f ${WATCH_FILE} ] || (
${runWatch('start')}
	)
`;
