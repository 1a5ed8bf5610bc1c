import {existsSync} from 'node:fs';
import type {InitSystem} from '../init-system.ts';
import {RUN_RESTORE} from './run-restore.ts';
import {INIT_SCRIPT} from './sysvinit.ts';

/** The link that rc-update(8) makes. */
const OPENRC_LINK = '/etc/runlevels/boot/fw-wizard';

/** A service of OpenRC (openrc-run(8)). Stopping it leaves the rules: it must not open the machine. */
const SERVICE = `#!/sbin/openrc-run
# Written by fw-wizard.
description="Firewall rules of fw-wizard"

depend() {
	need localmount
	after modules sysctl nftables iptables ip6tables ipset
	before net
}

start() {
	ebegin "Loading the firewall rules of fw-wizard"
	(
${RUN_RESTORE}
	)
	eend $?
}

stop() {
	einfo "The firewall rules of fw-wizard stay"
	return 0
}
`;

export const openrc: InitSystem = {
	name: 'openrc',
	// The script loads the modules itself: /etc/modules belongs to the machine.
	files: () => ({[INIT_SCRIPT]: {text: SERVICE, mode: 0o755}}),
	activate: {before: [], after: [['rc-update', '--quiet', 'add', 'fw-wizard', 'boot']]},
	isActivated: () => existsSync(OPENRC_LINK),
	deactivate: {before: [['rc-update', '--quiet', 'delete', 'fw-wizard', 'boot']], after: []},
};
