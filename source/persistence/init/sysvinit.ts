import path from 'node:path';
import {sysvinitStarts} from '../../host/machine/init-system.ts';
import type {InitSystem} from '../init-system.ts';
import {watchWithCron} from '../watch/cron.ts';
import {START_WATCH} from '../watch/run-watch.ts';
import {RUN_RESTORE} from './run-restore.ts';

/** Loads the rules before the network comes up. */
export const INIT_SCRIPT = '/etc/init.d/fw-wizard';
/** Loads them again, after the other services that load rules, and before the services of the runlevels 2 to 5. */
export const INIT_SCRIPT_AGAIN = '/etc/init.d/fw-wizard-again';
export const SCRIPTS = [INIT_SCRIPT, INIT_SCRIPT_AGAIN].map((file) => path.basename(file));

/**
 * Scripts that empty all tables at boot, or restore saved ones. On Debian some of them start after the network
 * (nftables, netfilter-persistent): one script cannot be behind them and before the network as well.
 */
export const LOADERS = 'nftables netfilter-persistent iptables ip6tables ufw ipset shorewall ferm';

/**
 * An init script with the header that insserv(8) and update-rc.d(8) read (LSB 5.0, 22.3), and chkconfig(8)
 * of Red Hat's before systemd. Stopping it leaves the rules: it must not open the machine.
 * @param then what comes last when it starts
 */
function printScript(name: string, priorities: string, order: string, then = ''): string {
	return `#!/bin/sh
# Written by fw-wizard.
# chkconfig: 2345 ${priorities}
# description: Firewall rules of fw-wizard
### BEGIN INIT INFO
# Provides:          ${name}
${order}
# Required-Stop:
# Default-Start:     S
# Default-Stop:
# Short-Description: Firewall rules of fw-wizard
### END INIT INFO

case $1 in
start | restart | reload | force-reload)
	echo "Loading the firewall rules of fw-wizard"
	(
${RUN_RESTORE}
	)
	status=$?
${then}	exit $status
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
}

const EARLY = `# Required-Start:    $local_fs
# Should-Start:      kmod procps
# X-Start-Before:    networking $network`;

const LATE = `# Required-Start:    $local_fs
# Should-Start:      fw-wizard $network ${LOADERS}`;

/**
 * Enables both on Debian (update-rc.d) and on Red Hat (chkconfig); the program that is absent does
 * nothing.
 */
export const sysvinit: InitSystem = {
	name: 'sysvinit',
	// The script loads the modules itself: /etc/modules belongs to the machine.
	files: () => ({
		[INIT_SCRIPT]: {text: printScript('fw-wizard', '09 91', EARLY), mode: 0o755},
		[INIT_SCRIPT_AGAIN]: {
			text: printScript('fw-wizard-again', '11 89', LATE, START_WATCH),
			mode: 0o755,
		},
	}),
	activate: {
		before: [],
		after: SCRIPTS.flatMap((name) => [
			['update-rc.d', name, 'defaults'],
			['chkconfig', '--add', name],
		]),
	},
	findFault() {
		const missing = SCRIPTS.find((name) => !sysvinitStarts(name));
		return missing && `no runlevel starts /etc/init.d/${missing}`;
	},
	deactivate: {
		before: SCRIPTS.map((name) => ['chkconfig', '--del', name]),
		after: SCRIPTS.map((name) => ['update-rc.d', '-f', name, 'remove']),
	},
	watch: watchWithCron({
		enabled:
			'set -- /etc/rc[S0-6].d/S??fw-wizard /etc/rc.d/rc[S0-6].d/S??fw-wizard; [ -e "$1" ] || [ -e "$2" ]',
		name: INIT_SCRIPT,
	}),
};
