/**
 * Rules of the filter table as programs leave them, in the words of iptables-save: of each program
 * the rule in INPUT first, where it has one. Taken from their sources, tests and documentation.
 */
export const PROGRAM_RULES: Readonly<Record<string, readonly string[]>> = {
	Docker: [
		'-A INPUT -p udp -m policy --dir in --pol none -m udp --dport 4789 -m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00=0x100100" -j DROP',
		'-A INPUT -p udp -m policy --dir in --pol none -m udp --dport 4789 -m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0" -j DROP',
		'-A FORWARD -j DOCKER-USER',
		'-A FORWARD -j DOCKER-INGRESS',
		'-A FORWARD -i docker0 ! -o docker0 -j ACCEPT',
		'-A FORWARD -o br-0123456789ab -j DOCKER',
		'-A FORWARD -i docker_gwbridge -o docker_gwbridge -j DROP',
		'-A DOCKER-ISOLATION-STAGE-1 -j RETURN',
	],
	podman: [
		'-A INPUT -m comment --comment "netavark firewall rules" -j NETAVARK_INPUT',
		'-A NETAVARK_FORWARD -d 10.88.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
	],
	'a container network (CNI)': [
		'-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
		'-A CNI-FORWARD -s 10.85.0.2/32 -j ACCEPT',
	],
	libvirt: [
		'-A INPUT -j LIBVIRT_INP',
		// Before 5.1.
		'-A INPUT -i virbr0 -p udp -m udp --dport 53 -j ACCEPT',
		'-A FORWARD -o virbr0 -j REJECT --reject-with icmp-port-unreachable',
		'-A FI-vnet0 -p tcp -j RETURN',
	],
	'Incus or LXD': [
		'-A INPUT -i lxdbr0 -p udp -m udp --dport 67 -m comment --comment "generated for LXD network lxdbr0" -j ACCEPT',
		'-A INPUT -i incusbr0 -p tcp -m tcp --dport 53 -m comment --comment "generated for Incus network incusbr0" -j ACCEPT',
		'-A lxd_acl_lxdbr0 -j REJECT --reject-with icmp-port-unreachable',
	],
	LXC: [
		'-A INPUT -i lxcbr0 -p tcp -m tcp --dport 53 -j ACCEPT',
		'-A INPUT -i lxcbr0 -p udp -m udp --dport 67 -j ACCEPT',
		'-A FORWARD -o lxcbr0 -j ACCEPT',
	],
	'the Amazon ECS agent': [
		'-A INPUT -i eth0 -p tcp -m tcp --dport 51678 -j DROP',
		'-A INPUT ! -i lo -p tcp -m tcp --dport 51678 -j DROP',
		'-A INPUT ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
	],
	Kubernetes: [
		'-A INPUT -j KUBE-FIREWALL',
		'-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
		'-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
	],
	Calico: [
		'-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT',
		'-A INPUT -m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT',
		'-A felix-INPUT -j RETURN',
	],
	Cilium: [
		'-A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j CILIUM_INPUT',
		'-A CILIUM_OUTPUT -m mark --mark 0x800/0xe00 -m comment --comment "cilium: ACCEPT for l7 proxy upstream traffic" -j ACCEPT',
		'-A OLD_CILIUM_FORWARD -j RETURN',
	],
	flannel: [
		'-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
		'-A FORWARD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
	],
	fail2ban: [
		'-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd',
		'-A INPUT -p tcp -m multiport --dports 22 -m set --match-set f2b-sshd src -j REJECT --reject-with icmp-port-unreachable',
		'-A INPUT -p tcp -m tcp --dport 22 -m set --match-set fail2ban-ssh src -j DROP',
		'-A f2b-sshd -s 192.0.2.66/32 -j REJECT --reject-with icmp-port-unreachable',
	],
	CrowdSec: [
		'-A INPUT -m set --match-set crowdsec-blacklists src -j DROP',
		'-A INPUT -m set --match-set crowdsec6-blacklists-0 src -j DROP',
		'-A INPUT -j CROWDSEC_CHAIN',
	],
	sshguard: [
		'-A INPUT -j sshguard',
		'-A INPUT -m set --match-set sshguard4 src -j DROP',
		'-A sshguard -s 192.0.2.9/32 -j DROP',
	],
	Tailscale: ['-A INPUT -j ts-input', '-A ts-input -i tailscale0 -j ACCEPT'],
	NetBird: [
		'-A INPUT -i wt0 -j NETBIRD-ACL-INPUT',
		'-A INPUT -i wt0 -j DROP',
		'-A NETBIRD-RT-FWD-IN -j ACCEPT',
	],
	NordVPN: [
		'-A INPUT -i eth0 -m comment --comment nordvpn -j DROP',
		'-A INPUT -s 192.168.0.0/16 -i eth0 -m comment --comment nordvpn-3 -j ACCEPT',
	],
	NetworkManager: [
		'-A INPUT -i wlan0 -m comment --comment nm-shared-wlan0 -j nm-sh-in-wlan0',
		'-A nm-sh-in-wlan0 -p udp -m udp --dport 67 -j ACCEPT',
	],
	ufw: ['-A INPUT -j ufw-before-input', '-A ufw6-user-input -p tcp -m tcp --dport 22 -j ACCEPT'],
};

/** Rules that a person types, some of them beside those programs. */
export const TYPED_RULES: readonly string[] = [
	'-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
	'-A INPUT -i lo -j ACCEPT',
	'-A INPUT -i docker0 -p tcp -m tcp --dport 5432 -j ACCEPT',
	'-A INPUT -i wg0 -j ACCEPT',
	'-A INPUT -i tailscale0 -j ACCEPT',
	'-A INPUT -p udp -m udp --dport 4789 -j ACCEPT',
	'-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "for fail2ban-like tools" -j ACCEPT',
	'-A INPUT -m set --match-set banned src -j DROP',
	'-A INPUT -p tcp -m tcp --dport 51679 -j ACCEPT',
	'-A INPUT -j LOGGING',
	'-A LOGGING -j DROP',
	'-A INPUT -s 127.0.0.0/8 ! -i lo -j DROP',
	'-A FORWARD -i eth0 -o eth1 -j ACCEPT',
];

const BUILT_IN = ['INPUT', 'FORWARD', 'OUTPUT'];

/** A filter table with these rules, in restore form, and with the chains that they are in or lead to. */
export function filterTable(rules: readonly string[]): string {
	const names = rules.flatMap((rule) => [
		rule.split(' ')[1] ?? '',
		...(/ -j ([\w.-]+)$/.exec(rule)?.slice(1) ?? []),
	]);
	const targets = new Set(['ACCEPT', 'DROP', 'RETURN', ...BUILT_IN]);
	const own = [...new Set(names)].filter((name) => !targets.has(name));
	return [
		'*filter',
		...BUILT_IN.map((name) => `:${name} ACCEPT [0:0]`),
		...own.map((name) => `:${name} - [0:0]`),
		...[...rules, 'COMMIT', ''],
	].join('\n');
}
