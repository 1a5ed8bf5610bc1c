import path from 'node:path';
import type {FilePlan} from '../../change/boot-files.ts';
import {CONFIG_DIR, STATE_DIR} from '../../change/paths.ts';
import {runWatch} from './run-watch.ts';

const FOLDER = '/etc/systemd/system';
/** Looks in the minutes after a boot. */
export const WATCH_UNIT = 'fw-wizard-watch.service';
/** Has the rules looked at again and again, by `LOOK_UNIT`. */
export const WATCH_TIMER = 'fw-wizard-watch.timer';
const LOOK_UNIT = 'fw-wizard-look.service';

/** What `enable` makes for them. */
export const WATCH_LINKS = [
	`${FOLDER}/multi-user.target.wants/${WATCH_UNIT}`,
	`${FOLDER}/timers.target.wants/${WATCH_TIMER}`,
];

/**
 * Nothing waits for it. Of what it tells, only warnings go to the journal, and not that it was started, each few
 * minutes (LogLevelMax=, systemd.exec(5)).
 */
const LASTING = `RequiresMountsFor=${CONFIG_DIR} ${STATE_DIR} /usr
Conflicts=shutdown.target
Before=shutdown.target
`;
const QUIET = `SyslogIdentifier=fw-wizard
LogLevelMax=notice
`;

const UNIT_TEXT = `[Unit]
Description=Watch over the firewall rules of fw-wizard after the boot
DefaultDependencies=no
After=fw-wizard.service
${LASTING}
[Service]
ExecStart=${printCommand('boot')}
${QUIET}
[Install]
WantedBy=multi-user.target
`;

const LOOK_TEXT = `[Unit]
Description=Look at the firewall rules of fw-wizard
DefaultDependencies=no
After=fw-wizard.service
${LASTING}
[Service]
Type=oneshot
ExecStart=${printCommand('look')}
SuccessExitStatus=1
${QUIET}`;

/** The units that watch, with a look every so many seconds. */
export function watchUnits(every: number): FilePlan['files'] {
	const unit = (text: string) => ({text, mode: 0o644});
	return {
		[`${FOLDER}/${WATCH_UNIT}`]: unit(UNIT_TEXT),
		[`${FOLDER}/${LOOK_UNIT}`]: unit(LOOK_TEXT),
		[`${FOLDER}/${WATCH_TIMER}`]: unit(`[Unit]
Description=Looks at the firewall rules of fw-wizard

[Timer]
OnActiveSec=${every}
OnUnitInactiveSec=${every}
AccuracySec=${Math.ceil(every / 20)}
Unit=${LOOK_UNIT}

[Install]
WantedBy=timers.target
`),
	};
}

/** Begins to watch, or with other times. The service is for the next boot. */
export const BEGIN_WATCH: Omit<FilePlan, 'files'> = {
	before: [],
	after: [
		['systemctl', '--quiet', 'enable', WATCH_UNIT, WATCH_TIMER],
		// A timer waits for sysinit.target, which may wait for us: cloud-init runs scripts before that.
		['systemctl', '--quiet', '--no-block', 'restart', WATCH_TIMER],
	],
};

export const END_WATCH: Omit<FilePlan, 'files'> = {
	before: [['systemctl', '--quiet', 'disable', '--now', WATCH_UNIT, WATCH_TIMER]],
	after: [
		['rm', '-f', ...WATCH_LINKS],
		['rmdir', ...WATCH_LINKS.map((link) => path.dirname(link))],
		['systemctl', 'daemon-reload'],
	],
};

function printCommand(task: Parameters<typeof runWatch>[0]): string {
	return `/bin/sh -c '${runWatch(task).replaceAll('$', '$$$$')}'`;
}
