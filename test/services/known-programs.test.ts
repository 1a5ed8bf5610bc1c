import {describe, expect, test} from 'vitest';
import {OWN_CHAINS} from '../../source/ruleset/model.ts';
import {
	isInternalInterface,
	KNOWN_PROGRAMS,
	programNamed,
	programOfChain,
	programOfControlGroups,
	programOfInterface,
	programOfProxy,
	programOfTable,
} from '../../source/services/known-programs/find.ts';
import {FIREWALLD_TABLE} from '../../source/services/known-programs/firewalls.ts';

const TABLES: ReadonlyArray<readonly [table: string, program: string | undefined]> = [
	['ip docker-bridges', 'Docker'],
	['ip docker-overlay', 'Docker'],
	['inet netavark', 'podman'],
	['ip6 cni_hostport', 'a container network (CNI)'],
	['inet cni_plugins_masquerade', 'a container network (CNI)'],
	['ip libvirt_network', 'libvirt'],
	['inet incus', 'Incus or LXD'],
	['inet lxd', 'Incus or LXD'],
	['inet lxc', 'LXC'],
	['ip io.systemd.nat', 'systemd-nspawn'],
	['ip6 kube-proxy', 'Kubernetes'],
	['ip calico', 'Calico'],
	['ip flannel-ipv4', 'flannel'],
	['inet f2b-table', 'fail2ban'],
	['ip6 crowdsec6', 'CrowdSec'],
	['ip sshguard', 'sshguard'],
	['ip netbird', 'NetBird'],
	['inet mullvad', 'Mullvad'],
	['ip wg-quick-wg0', 'WireGuard'],
	['ip nm-shared-wlan0', 'NetworkManager'],
	[FIREWALLD_TABLE, 'firewalld'],
	['inet filter', undefined],
	['ip nat', undefined],
	['inet lxc-like', undefined],
	['inet mullvad_tailscale', undefined],
];

const INTERFACES: ReadonlyArray<readonly [name: string, program: string | undefined]> = [
	['docker0', 'Docker'],
	['docker_gwbridge', 'Docker'],
	['br-0123456789ab', 'Docker'],
	['veth12ab34c', 'Docker'],
	['podman0', 'podman'],
	['cni-podman0', 'a container network (CNI)'],
	['cni0', 'a container network (CNI)'],
	['virbr0', 'libvirt'],
	['vnet3', 'libvirt'],
	['incusbr0', 'Incus or LXD'],
	['lxdbr0', 'Incus or LXD'],
	['lxcbr0', 'LXC'],
	['ve-web', 'systemd-nspawn'],
	['kube-ipvs0', 'Kubernetes'],
	['cali0a1b2c3d4e5', 'Calico'],
	['vxlan.calico', 'Calico'],
	['cilium_host', 'Cilium'],
	['lxc0123456789ab', 'Cilium'],
	['flannel.1', 'flannel'],
	['tailscale0', 'Tailscale'],
	['wt0', 'NetBird'],
	['ztabcdefgh', 'ZeroTier'],
	['nordlynx', 'NordVPN'],
	['wg0-mullvad', 'Mullvad'],
	['wg0', 'WireGuard'],
	['eth0', undefined],
	['br0', undefined],
	['br-lan', undefined],
	['wlan0', undefined],
	['ens5', undefined],
	['tun0', undefined],
];

describe('the table of known programs', () => {
	test.each(TABLES)('table %s: %s', (table, program) => {
		expect(programOfTable(table)?.name).toBe(program);
	});

	test.each(INTERFACES)('interface %s: %s', (name, program) => {
		expect(programOfInterface(name)?.name).toBe(program);
	});

	test('tells interfaces of containers and guests from those to other machines', () => {
		const outside = [
			'Tailscale',
			'NetBird',
			'ZeroTier',
			'NordVPN',
			'Mullvad',
			'WireGuard',
			undefined,
		];
		expect(INTERFACES.filter(([name]) => !isInternalInterface(name))).toEqual(
			INTERFACES.filter(([, program]) => outside.includes(program)),
		);
	});

	test('has each table and each interface for one program alone', () => {
		for (const [table] of TABLES) {
			const owners = KNOWN_PROGRAMS.filter(({tables}) => tables?.test(table));
			expect(owners.length, table).toBeLessThan(2);
		}

		for (const [name] of INTERFACES) {
			const owners = KNOWN_PROGRAMS.filter(({interfaces}) => interfaces?.test(name));
			expect(owners.length, name).toBeLessThan(2);
		}
	});

	test('claims nothing of our own, and no built-in chain', () => {
		const builtIn = ['INPUT', 'FORWARD', 'OUTPUT', 'PREROUTING', 'POSTROUTING'];
		for (const chain of [...builtIn, ...OWN_CHAINS.map(({name}) => name)]) {
			expect(programOfChain(chain), chain).toBeUndefined();
		}
	});

	test('knows the program behind a socket', () => {
		const named = ['docker-proxy', 'rootlessport', 'pasta.avx2', 'nginx'].map(
			(process) => programOfProxy(process)?.name,
		);
		expect(named).toEqual(['Docker', 'podman', 'podman', undefined]);
		expect(programOfControlGroups(['/kubepods.slice/docker-0123456789ab.scope', '/'])?.name).toBe(
			'Kubernetes',
		);
		expect(
			programOfControlGroups([String.raw`/machine.slice/machine-qemu\x2d1\x2dweb.scope`]),
		).toBeUndefined();
	});

	test('has texts that can stand in a sentence, and names that the kernel can show', () => {
		for (const {name, does, means, breaks, processes = [], proxies = []} of KNOWN_PROGRAMS) {
			expect(programNamed(name)?.name).toBe(name);
			for (const text of [does, means, ...(breaks === undefined ? [] : [breaks])]) {
				expect(text, name).toMatch(/^(?:[A-Z]|[a-z]\w+:? )/);
				expect(text, name).not.toMatch(/[.!]$|\n/);
			}

			// TASK_COMM_LEN: 16 with the zero at the end.
			expect([...processes, ...proxies].every((process) => process.length <= 15)).toBe(true);
		}
	});
});
