import {openrcRunlevels, openrcStarts} from '../../host/machine/init-system.ts';
import type {InitSystem} from '../init-system.ts';
import {watchWithCron} from '../watch/cron.ts';
import {START_WATCH} from '../watch/run-watch.ts';
import {RUN_RESTORE} from './run-restore.ts';
import {INIT_SCRIPT, INIT_SCRIPT_AGAIN, LOADERS, SCRIPTS} from './sysvinit.ts';

/**
 * A service of OpenRC (openrc-run(8)). It needs no other: what cannot be mounted must not keep the rules away.
 * Stopping it leaves the rules: it must not open the machine.
 * @param then what comes last when it starts
 */
function printService(order: string, then = ''): string {
	return `#!/sbin/openrc-run
# Written by fw-wizard.
description="Firewall rules of fw-wizard"

depend() {
${order}
}

start() {
	ebegin "Loading the firewall rules of fw-wizard"
	(
${RUN_RESTORE}
	)
	status=$?
${then}	eend $status
}

stop() {
	einfo "The firewall rules of fw-wizard stay"
	return 0
}
`;
}

const LATE = `	after fw-wizard net networking ${LOADERS}`;

/** Under the names of Alpine and Gentoo, where what loads rules is before the network too, and of Debian's scripts. */
function printEarly(): string {
	const after = openrcRunlevels().early === 'boot' ? ` ${LOADERS}` : '';
	return `	after localmount mountall modules kmod sysctl procps${after}
	before net networking`;
}

export const openrc: InitSystem = {
	name: 'openrc',
	// The script loads the modules itself: /etc/modules belongs to the machine.
	files: () => ({
		[INIT_SCRIPT]: {text: printService(printEarly()), mode: 0o755},
		[INIT_SCRIPT_AGAIN]: {text: printService(LATE, START_WATCH), mode: 0o755},
	}),
	get activate() {
		return {
			before: [],
			after: placed().map(
				([name, runlevel]) => ['rc-update', '--quiet', 'add', name, runlevel] as const,
			),
		};
	},
	findFault() {
		const [missing] = placed().filter(([name, runlevel]) => !openrcStarts(name, runlevel));
		return missing && `${missing[0]} is not in the runlevel ${missing[1]}`;
	},
	deactivate: {
		before: SCRIPTS.map((name) => ['rc-update', '--quiet', '--all', 'delete', name]),
		after: [],
	},
	watch: watchWithCron({
		enabled: 'set -- /etc/runlevels/*/fw-wizard; [ -e "$1" ]',
		name: 'fw-wizard',
	}),
};

/** Each script, with its runlevel. */
function placed(): ReadonlyArray<readonly [script: string, runlevel: string]> {
	const {early, late} = openrcRunlevels();
	return SCRIPTS.map((name, index) => [name, index === 0 ? early : late]);
}
