import path from 'node:path';
import {findProgram} from '../../host/exec/find-program.ts';
import {listFolder} from '../../host/files/read-text.ts';
import {quote} from '../../lib/shell-quote.ts';
import {CLOUD_INIT_SERVICES} from './cloud-init.ts';
import type {Starter} from './model.ts';
import {isExecutable} from './unit-order.ts';

/** A program that runs all scripts of a folder when something happens to the network. */
type Hooks = {
	readonly by: string;
	/** The service that runs them; where it does not start, they do not run. */
	readonly service: string;
	/** Without the service, they run where this program is installed: something calls it. */
	readonly program?: string;
	/** A name in an earlier folder replaces the same name in a later one. */
	readonly folders: readonly string[];
	readonly files?: readonly string[];
	readonly names?: RegExp;
	/** Run when the network goes down. */
	readonly down?: boolean;
	/** Read by a shell (`.`), which needs no permission to run them. */
	readonly sourced?: boolean;
};

/** As run-parts(8) takes names. */
const RUN_PARTS = /^[\w-]+$/;

const IFUPDOWN = {
	by: 'ifupdown',
	service: 'networking.service',
	program: 'ifup',
	names: RUN_PARTS,
};
const NETWORK_MANAGER = {by: 'NetworkManager', service: 'NetworkManager.service'};
const DISPATCHER = {by: 'networkd-dispatcher', service: 'networkd-dispatcher.service'};
const DHCLIENT = {
	by: 'dhclient',
	service: 'networking.service',
	program: 'dhclient',
	sourced: true,
};
const DHCPCD = {by: 'dhcpcd', service: 'dhcpcd.service', program: 'dhcpcd', sourced: true};
const PPP = {by: 'pppd', service: 'networking.service', program: 'pppd'};

const below = (folder: string, states: readonly string[]) =>
	['/etc', '/usr/lib'].flatMap((top) => states.map((state) => path.join(top, folder, state)));

const HOOKS: readonly Hooks[] = [
	{...IFUPDOWN, folders: ['/etc/network/if-pre-up.d', '/etc/network/if-up.d']},
	{...IFUPDOWN, folders: ['/etc/network/if-down.d', '/etc/network/if-post-down.d'], down: true},
	{
		...NETWORK_MANAGER,
		folders: below('NetworkManager/dispatcher.d', ['', 'pre-up.d', 'no-wait.d']),
	},
	{...NETWORK_MANAGER, folders: below('NetworkManager/dispatcher.d', ['pre-down.d']), down: true},
	{
		...DISPATCHER,
		folders: below(
			'networkd-dispatcher',
			'routable.d configured.d carrier.d configuring.d degraded.d dormant.d'.split(' '),
		),
	},
	{...DISPATCHER, folders: below('networkd-dispatcher', ['no-carrier.d', 'off.d']), down: true},
	{
		...DHCLIENT,
		folders: ['/etc/dhcp/dhclient-enter-hooks.d', '/etc/dhcp/dhclient-exit-hooks.d'],
		files: ['/etc/dhcp/dhclient-enter-hooks', '/etc/dhcp/dhclient-exit-hooks'],
	},
	{...DHCPCD, folders: [], files: ['/etc/dhcpcd.enter-hook', '/etc/dhcpcd.exit-hook']},
	{
		...PPP,
		folders: ['/etc/ppp/ip-up.d', '/etc/ppp/ipv6-up.d'],
		files: ['/etc/ppp/ip-up.local', '/etc/ppp/ipv6-up.local'],
	},
	{...PPP, folders: ['/etc/ppp/ip-down.d', '/etc/ppp/ipv6-down.d'], down: true},
	{by: 'libvirt', service: 'libvirtd.service', folders: ['/etc/libvirt/hooks']},
	{by: 'cloud-init', service: 'cloud-final.service', folders: ['/var/lib/cloud/scripts/per-boot']},
	...CLOUD_INIT_SERVICES.map((service) => ({
		...{by: 'cloud-init', service, folders: ['/var/lib/cloud/instance/boothooks']},
	})),
];

/**
 * The scripts that network programs run when an interface comes up or goes down.
 * @param starts whether a service starts at boot
 */
export function findHooks(starts: (service: string) => boolean): readonly Starter[] {
	return HOOKS.filter(
		({service, program}) =>
			starts(service) || (program !== undefined && findProgram(program) !== undefined),
	).flatMap(({by, service, down, sourced, ...rest}) =>
		scriptsOf({by, service, ...rest, ...(sourced ? {sourced} : {})}).map((file) => ({
			by: `${by}, when an interface ${down ? 'goes down' : 'comes up'}`,
			service,
			...(down ? {later: true} : {}),
			commands: [{file, line: 1, text: `${sourced ? '. ' : ''}${quote(file)}`}],
		})),
	);
}

function scriptsOf({folders, files = [], names, sourced = false}: Hooks): readonly string[] {
	const found = new Map<string, string>();
	for (const folder of folders) {
		for (const name of [...listFolder(folder)].sort()) {
			const key = path.join(folder.replace(/^\/usr\/lib/, '/etc'), name);
			if (!found.has(key) && (names === undefined || names.test(name))) {
				found.set(key, path.join(folder, name));
			}
		}
	}

	return [...files, ...found.values()].filter((file) => sourced || isExecutable(file));
}
