import type {KnownProgram} from './known-program.ts';

/**
 * Programs that run containers or virtual machines. Names of chains, tables and interfaces are from
 * their sources: libnetwork (moby), netavark, containernetworking/plugins, libvirt's network driver
 * and nwfilter(7), the xtables and nftables drivers of Incus and LXD, lxc-net, networkd and ecs-init.
 */
export const CONTAINER_PROGRAMS: readonly KnownProgram[] = [
	{
		name: 'Docker',
		kind: 'containers',
		chains: /^DOCKER(?:[-_]|$)/,
		tables: /^(?:ip6?|inet) docker-(?:bridges|overlay)$/,
		// Behind "|": Swarm's encrypted networks, whose packets are told by the number in the VXLAN header.
		rules:
			/^-A (?:FORWARD|PREROUTING|POSTROUTING) .*-[io] (?:docker0|docker_gwbridge|br-[\da-f]{12}) |^-A (?:INPUT|OUTPUT) .*--dport 4789 .*--(?:u32|bytecode) /,
		interfaces: /^(?:docker|br-[\da-f]{12}$|veth)/,
		services: ['docker.service'],
		processes: ['dockerd'],
		proxies: ['docker-proxy'],
		// Containers of Kubernetes have the same names, within a group of their own.
		controlGroups: /^(?!.*kubepods).*\/docker[-/][\da-f]{12}/,
		command: 'docker',
		needsFilter: true,
		does: 'Docker forwards packets to its containers by rules of its own',
		means:
			'Published ports do not go through INPUT: what is chosen for published ports decides on them; its rules stay',
		breaks: 'Docker: containers lose their network and their isolation until Docker is restarted',
	},
	{
		name: 'podman',
		kind: 'containers',
		chains: /^NETAVARK/,
		tables: /^inet netavark$/,
		interfaces: /^podman/,
		proxies: ['rootlessport', 'pasta', 'pasta.avx2'],
		controlGroups: /libpod-/,
		command: 'podman',
		needsFilter: true,
		does: 'podman forwards packets to its containers by rules of its own',
		means:
			'Published ports do not go through INPUT: what is chosen for published ports decides on them; its rules stay',
		breaks: 'podman: containers lose their network until they are started again',
	},
	{
		name: 'a container network (CNI)',
		kind: 'containers',
		chains: /^CNI-/,
		tables: /^(?:ip6? cni_hostport|inet cni_plugins_masquerade)$/,
		interfaces: /^cni/,
		needsFilter: true,
		does: 'A container network (CNI), as podman before 4.0, containerd and Kubernetes have it, forwards packets by rules of its own',
		means:
			'Published ports do not go through INPUT: what is chosen for published ports decides on them; its rules stay',
		breaks: 'Container networks (CNI): containers lose their network until they are started again',
	},
	{
		name: 'libvirt',
		kind: 'containers',
		chains: /^(?:LIBVIRT_|libvirt-(?:in|out|host-in)|[FH][IO]-vnet\d)/,
		tables: /^ip6? libvirt_network$/,
		// Before 5.1 its rules stood in the built-in chains.
		rules: /^-A .*-[io] virbr\d+ /,
		interfaces: /^(?:virbr|vnet)/,
		services: ['libvirtd.service', 'virtnetworkd.service', 'libvirt-guests.service'],
		processes: ['libvirtd', 'virtnetworkd'],
		needsFilter: true,
		does: 'libvirt forwards packets of its virtual machines by rules of its own',
		means: 'Its rules stay',
		breaks:
			'libvirt: virtual machines get no address and no names until its networks are started again',
	},
	{
		name: 'Incus or LXD',
		kind: 'containers',
		chains: /^(?:incus|lxd)_/,
		tables: /^(?:inet|ip6?) (?:incus|lxd)$/,
		// In iptables its rules stand in the built-in chains, each with a comment.
		rules: /--comment "generated for (?:Incus|LXD) /,
		interfaces: /^(?:incusbr|lxdbr)/,
		services: ['incus.service', 'lxd.service'],
		processes: ['incusd', 'lxd'],
		needsFilter: true,
		does: 'Incus or LXD forwards packets of its guests by rules of its own',
		means: 'Its rules stay',
		breaks:
			'Incus or LXD: containers and virtual machines get no address and no names until it is restarted',
	},
	{
		name: 'LXC',
		kind: 'containers',
		tables: /^(?:inet|ip6?) lxc$/,
		// The rules of lxc-net stand in the built-in chains.
		rules: /^-A .*-[io] lxcbr\d+ /,
		interfaces: /^lxcbr/,
		services: ['lxc-net.service'],
		controlGroups: /\/lxc(?:\.payload)?[./]/,
		needsFilter: true,
		does: 'LXC forwards packets of its containers by rules of its own',
		means: 'Its rules stay',
		breaks: 'LXC: containers get no address and no names until lxc-net is restarted',
	},
	{
		name: 'systemd-nspawn',
		kind: 'containers',
		tables: /^ip6? io\.systemd\.nat$/,
		interfaces: /^v[ebz]-/,
		// libvirt keeps its virtual machines in this slice as well, which listen in this machine's network.
		controlGroups: /\/machine\.slice\/(?!libpod-|machine-qemu)/,
		needsFilter: false,
		does: 'systemd forwards packets to the containers of systemd-nspawn by rules of its own',
		means:
			'Published ports do not go through INPUT: what is chosen for published ports decides on them; its rules stay',
	},
	{
		name: 'the Amazon ECS agent',
		kind: 'containers',
		rules:
			/^-A INPUT .*--dport 51678 |^-A INPUT ! -s 127\.0\.0\.0\/8 -d 127\.0\.0\.0\/8 .*--ctstate RELATED,ESTABLISHED,DNAT -j DROP$|^-A (?:PREROUTING|OUTPUT) -d 169\.254\.170\.2\/32 .*\b51679$/,
		services: ['ecs.service'],
		processes: ['amazon-ecs-init'],
		needsFilter: false,
		does: 'The Amazon ECS agent gives credentials to containers, and blocks its own ports from outside',
		means: 'Its rules stay, and are evaluated first',
		breaks:
			'The Amazon ECS agent: its ports are blocked by what is chosen here alone, until ecs is restarted',
	},
];
