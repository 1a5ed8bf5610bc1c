import {existsSync} from 'node:fs';
import type {FilePlan} from '../../change/boot-files.ts';
import type {Watch} from '../init-system.ts';
import {runWatch} from './run-watch.ts';
import type {WatchedService} from './watch-script.ts';

/** Read by cron(8) where it has this folder, as on Debian and Red Hat. */
const FOLDER = '/etc/cron.d';
const CRON_FILE = `${FOLDER}/fw-wizard`;

/**
 * The watch of an init system without timers: its script starts it behind the rules, and cron has it look
 * again. Without cron it goes on by itself.
 */
export function watchWithCron(service: WatchedService): Watch {
	const nothing = {before: [], after: []};
	return {
		service,
		files: (every) => (existsSync(FOLDER) ? cronFile(every) : {}),
		begin: nothing,
		end: nothing,
	};
}

/** A file of crontab(5) that has it look every so many seconds, in whole minutes. */
function cronFile(every: number): FilePlan['files'] {
	const minutes = Math.round(every / 60);
	const when = minutes >= 60 ? '0' : `*/${minutes}`;
	return {
		[CRON_FILE]: {
			text: `# Written by fw-wizard.\n${when} * * * * root { ${runWatch('look')}; } >/dev/null 2>&1\n`,
			mode: 0o644,
		},
	};
}
