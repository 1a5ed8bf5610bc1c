import {existsSync} from 'node:fs';
import type {InitSystem} from '../init-system.ts';
import {RUN_RESTORE} from './run-restore.ts';

export const UNIT = 'fw-wizard.service';
export const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
export const ENABLED_LINK = `/etc/systemd/system/multi-user.target.wants/${UNIT}`;
export const MODULES_LOAD_FILE = '/etc/modules-load.d/fw-wizard.conf';

/**
 * Runs before the network comes up and after the other services that load rules, so that the jump is
 * added to their result. It has no ExecStop: stopping it must not open the machine.
 */
const UNIT_TEXT = `[Unit]
Description=Firewall rules of fw-wizard
DefaultDependencies=no
After=local-fs.target systemd-modules-load.service systemd-sysctl.service nftables.service ufw.service netfilter-persistent.service iptables.service ip6tables.service ipset.service
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '${printInUnit(RUN_RESTORE)}'

[Install]
WantedBy=multi-user.target
`;

/** The unit of fw-wizard (systemd.unit(5)). */
export const systemd: InitSystem = {
	name: 'systemd',
	files: (modules) => ({
		[UNIT_FILE]: {text: UNIT_TEXT, mode: 0o644},
		[MODULES_LOAD_FILE]:
			modules.length === 0 ? null : {text: `${modules.join('\n')}\n`, mode: 0o644},
	}),
	activate: {
		before: [],
		// "enable" also makes systemd read its units again (systemctl(1)).
		after: [['systemctl', '--quiet', 'enable', UNIT]],
	},
	isActivated: () => existsSync(ENABLED_LINK),
	deactivate: {
		before: [['systemctl', '--quiet', 'disable', UNIT]],
		after: [
			// A masked unit cannot be disabled, and its link would stay.
			['rm', '-f', ENABLED_LINK],
			['systemctl', 'daemon-reload'],
		],
	},
};

/** A script within a quoted word of a unit: on lines that are continued, without variables of systemd. */
function printInUnit(script: string): string {
	return script.replaceAll('$', '$$$$').replaceAll('\n', '\\n\\\n');
}
