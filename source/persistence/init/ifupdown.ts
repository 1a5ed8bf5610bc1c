import type {InitSystem} from '../init-system.ts';
import {watchWithCron} from '../watch/cron.ts';
import {START_WATCH} from '../watch/run-watch.ts';
import {RUN_RESTORE} from './run-restore.ts';

const IFUPDOWN_FILE = '/etc/network/if-pre-up.d/fw-wizard';

/**
 * Run by ifupdown before each interface comes up (interfaces(5)). A failure there would keep it
 * down.
 */
const SCRIPT = `#!/bin/sh
# Written by fw-wizard.
(
${RUN_RESTORE}
) || echo "fw-wizard: see above" >&2
${START_WATCH}exit 0
`;

export const ifupdown: InitSystem = {
	name: 'ifupdown',
	files: () => ({[IFUPDOWN_FILE]: {text: SCRIPT, mode: 0o755}}),
	activate: {before: [], after: []},
	// ifupdown runs every executable file in its folder.
	findFault: () => undefined,
	deactivate: {before: [], after: []},
	watch: watchWithCron({enabled: `[ -x ${IFUPDOWN_FILE} ]`, name: IFUPDOWN_FILE}),
};
