import {existsSync} from 'node:fs';
import path from 'node:path';
import {CONFIG_DIR} from '../../change/paths.ts';
import type {InitSystem, Watch} from '../init-system.ts';
import {
	BEGIN_WATCH,
	END_WATCH,
	WATCH_LINKS,
	WATCH_TIMER,
	watchUnits,
} from '../watch/systemd-units.ts';
import {RUN_RESTORE} from './run-restore.ts';

export const UNIT = 'fw-wizard.service';
export const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
export const MODULES_LOAD_FILE = '/etc/modules-load.d/fw-wizard.conf';

/** Services that load rules of their own, and some of which empty all tables for it. */
const LOADERS = [
	...['nftables.service', 'ufw.service', 'netfilter-persistent.service'],
	...['iptables.service', 'ip6tables.service'],
];

/** What starts it; `enable` makes a link for each. */
const STARTED_BY = ['multi-user.target', ...LOADERS];
const LINKS = STARTED_BY.map((name) => `/etc/systemd/system/${name}.wants/${UNIT}`);
export const ENABLED_LINK = LINKS[0] ?? '';

/**
 * What loading rules needs, and no more (systemd.exec(5)): netlink and raw sockets, and the right to load modules, of
 * which legacy iptables makes use. Left out is what may keep the rules from being loaded: whatever needs a
 * mount namespace, which a container may not make, and which would wait for more mounts; NoNewPrivileges, with
 * which SELinux may deny iptables its domain; a list of the only system calls, which a newer libc may exceed.
 */
const RIGHTS = `CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_MODULE
RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6
SystemCallFilter=~@clock @cpu-emulation @debug @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
SystemCallArchitectures=native
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
UMask=0077`;

/**
 * Runs before the network comes up and after the other services that load rules, so that the jump is
 * added to their result. It has no ExecStop: stopping it must not open the machine.
 *
 * A restart or reload of such a service has it run again (PartOf=, ReloadPropagatedFrom=), and so has
 * its start after a stop (WantedBy=), behind it: `nft flush ruleset` takes our rules away as well. A
 * stop of it ends this unit too, and what that stop removes stays removed until one of them starts.
 */
const UNIT_TEXT = `[Unit]
Description=Firewall rules of fw-wizard
DefaultDependencies=no
RequiresMountsFor=${CONFIG_DIR} /usr
After=systemd-modules-load.service systemd-sysctl.service ipset.service ${LOADERS.join(' ')}
PartOf=${LOADERS.join(' ')}
ReloadPropagatedFrom=${LOADERS.join(' ')}
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${printCommand(RUN_RESTORE)}
ExecReload=${printCommand(RUN_RESTORE)}
${RIGHTS}

[Install]
WantedBy=${STARTED_BY.join(' ')}
`;

/** The unit of fw-wizard (systemd.unit(5)). */
export const systemd: InitSystem & {readonly watch: Watch} = {
	name: 'systemd',
	files: (modules) => ({
		[UNIT_FILE]: {text: UNIT_TEXT, mode: 0o644},
		[MODULES_LOAD_FILE]:
			modules.length === 0 ? null : {text: `${modules.join('\n')}\n`, mode: 0o644},
	}),
	activate: {
		before: [],
		after: [
			// "enable" also makes systemd read its units again (systemctl(1)).
			['systemctl', '--quiet', 'enable', UNIT],
			// Only of a unit that was started are restarts of others its own. Loads the same rules again.
			['systemctl', '--quiet', 'start', UNIT],
		],
	},
	// To enable has systemd read all its units again. To start what runs does nothing, and need not be waited for.
	again: {
		links: [...LINKS, ...WATCH_LINKS],
		after: [['systemctl', '--quiet', '--no-block', 'start', UNIT, WATCH_TIMER]],
	},
	findFault: () => (existsSync(ENABLED_LINK) ? undefined : `${UNIT} is not enabled`),
	deactivate: {
		before: [['systemctl', '--quiet', 'disable', UNIT]],
		after: [
			// A masked unit cannot be disabled, and its links would stay.
			['rm', '-f', ...LINKS],
			['rmdir', ...LINKS.map((link) => path.dirname(link))],
			['systemctl', 'daemon-reload'],
		],
	},
	watch: {
		// A masked unit is a link.
		service: {enabled: `[ -L ${ENABLED_LINK} ] && [ ! -L ${UNIT_FILE} ]`, name: UNIT},
		files: watchUnits,
		begin: BEGIN_WATCH,
		end: END_WATCH,
	},
};

/** A script as a command of a unit: on lines that are continued, without variables of systemd. */
function printCommand(script: string): string {
	return `/bin/sh -c '${script.replaceAll('$', '$$$$').replaceAll('\n', '\\n\\\n')}'`;
}
