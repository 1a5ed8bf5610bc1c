import {existsSync, readdirSync} from 'node:fs';
import path from 'node:path';
import type {InitSystem} from '../init-system.ts';
import {RUN_RESTORE} from './run-restore.ts';

export const INIT_SCRIPT = '/etc/init.d/fw-wizard';

/**
 * An init script with the header that insserv(8) and update-rc.d(8) read (LSB 5.0, 22.3), and chkconfig(8)
 * of Red Hat's before systemd. Stopping it leaves the rules: it must not open the machine.
 */
const SCRIPT = `#!/bin/sh
# Written by fw-wizard.
# chkconfig: 2345 09 91
# description: Firewall rules of fw-wizard
### BEGIN INIT INFO
# Provides:          fw-wizard
# Required-Start:    $local_fs
# Required-Stop:
# Should-Start:      kmod procps iptables ip6tables netfilter-persistent nftables ufw ipset
# X-Start-Before:    networking $network
# Default-Start:     S
# Default-Stop:
# Short-Description: Firewall rules of fw-wizard
### END INIT INFO

case $1 in
start | restart | reload | force-reload)
	echo "Loading the firewall rules of fw-wizard"
${RUN_RESTORE}
	;;
stop)
	echo "The firewall rules of fw-wizard stay"
	;;
*)
	echo "Usage: $0 {start|stop|restart|reload|force-reload}" >&2
	exit 2
	;;
esac
`;

/**
 * Enables it on Debian (update-rc.d) and on Red Hat (chkconfig); the program that is absent does
 * nothing.
 */
export const sysvinit: InitSystem = {
	name: 'sysvinit',
	// The script loads the modules itself: /etc/modules belongs to the machine.
	files: () => ({[INIT_SCRIPT]: {text: SCRIPT, mode: 0o755}}),
	activate: {
		before: [],
		after: [
			['update-rc.d', 'fw-wizard', 'defaults'],
			['chkconfig', '--add', 'fw-wizard'],
		],
	},
	isActivated: isStarted,
	deactivate: {
		before: [['chkconfig', '--del', 'fw-wizard']],
		after: [['update-rc.d', '-f', 'fw-wizard', 'remove']],
	},
};

/** Whether some runlevel starts it. */
function isStarted(): boolean {
	return ['/etc', '/etc/rc.d'].some((folder) =>
		list(folder)
			.filter((name) => /^rc[S0-6]\.d$/.test(name))
			.some((name) => list(path.join(folder, name)).some((link) => /^S\d\dfw-wizard$/.test(link))),
	);
}

function list(folder: string): readonly string[] {
	return existsSync(folder) ? readdirSync(folder) : [];
}
