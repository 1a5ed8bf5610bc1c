/**
 * Rules that programs put into INPUT of a machine, each with what they need there, as their own
 * documentation or source has them. The table of known programs has not all of these programs.
 */
export type NeededRules = {
	readonly program: string;
	/** Lines for ipset(8), loaded first. */
	readonly sets?: readonly string[];
	/** Names of the chains that the rules need. */
	readonly chains?: readonly string[];
	/** As iptables-save prints them. */
	readonly rules: readonly string[];
};

export const NEEDED_RULES: readonly NeededRules[] = [
	{
		// libnetwork, drivers/overlay/encryption.go: encrypted networks of Swarm.
		program: 'Docker Swarm',
		rules: [
			'-A INPUT -p udp -m policy --dir in --pol none -m udp --dport 4789 -m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00=0x100100" -j DROP',
		],
	},
	{
		// lxd/firewall/drivers/drivers_xtables.go
		program: 'LXD',
		rules: [
			'-A INPUT -i lxdbr0 -p tcp -m tcp --dport 53 -m comment --comment "generated for LXD network lxdbr0" -j ACCEPT',
			'-A INPUT -i lxdbr0 -p udp -m udp --dport 67 -m comment --comment "generated for LXD network lxdbr0" -j ACCEPT',
		],
	},
	{
		// client/firewall/iptables/acl_linux.go
		program: 'NetBird',
		chains: ['NETBIRD-ACL-INPUT'],
		rules: [
			'-A INPUT -i wt0 -j NETBIRD-ACL-INPUT',
			'-A INPUT -i wt0 -j DROP',
			'-A NETBIRD-ACL-INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
		],
	},
	{
		// felix/rules/static.go
		program: 'Calico',
		chains: ['cali-INPUT'],
		rules: [
			'-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT',
			'-A cali-INPUT -m mark --mark 0x10000/0x10000 -j ACCEPT',
		],
	},
	{
		// pkg/datapath/iptables/iptables.go
		program: 'Cilium',
		chains: ['CILIUM_INPUT'],
		rules: [
			'-A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j CILIUM_INPUT',
			'-A CILIUM_INPUT -m mark --mark 0x200/0xf00 -m comment --comment "cilium: ACCEPT for proxy traffic" -j ACCEPT',
		],
	},
	{
		// sshguard-setup(7) and sshg-fw-ipset
		program: 'sshguard',
		sets: ['create sshguard4 hash:net family inet counters timeout 0'],
		rules: ['-A INPUT -m set --match-set sshguard4 src -j DROP'],
	},
	{
		// nm-firewall-utils.c: a hotspot
		program: 'NetworkManager',
		chains: ['nm-sh-in-wlan0'],
		rules: [
			'-A INPUT -i wlan0 -m comment --comment nm-shared-wlan0 -j nm-sh-in-wlan0',
			'-A nm-sh-in-wlan0 -p udp -m udp --dport 67 -j ACCEPT',
		],
	},
	{
		// ecs-init, engine: task metadata and the agent's ports
		program: 'ECS agent',
		rules: [
			'-A INPUT -i eth0 -p tcp -m tcp --dport 51678 -j DROP',
			'-A INPUT ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
		],
	},
	{
		// action.d/iptables-ipset-proto6.conf
		program: 'fail2ban',
		sets: ['create f2b-sshd hash:ip timeout 600'],
		rules: [
			'-A INPUT -p tcp -m multiport --dports 22 -m set --match-set f2b-sshd src -j REJECT --reject-with icmp-port-unreachable',
		],
	},
	{
		// cs-firewall-bouncer, pkg/iptables
		program: 'CrowdSec',
		sets: ['create crowdsec-blacklists hash:net timeout 300'],
		rules: ['-A INPUT -m set --match-set crowdsec-blacklists src -j DROP'],
	},
	{
		// The rules that ipsec(8) users are told to add: docs.strongswan.org, forwarding and split tunnelling
		program: 'strongSwan, as documented',
		rules: [
			'-A INPUT -p esp -j ACCEPT',
			'-A INPUT -p udp -m udp --dport 500 -j ACCEPT',
			'-A INPUT -p udp -m udp --dport 4500 -j ACCEPT',
		],
	},
	{
		// _updown of strongSwan, with leftfirewall=yes
		program: 'strongSwan, _updown',
		rules: [
			'-A INPUT -s 10.1.0.0/16 -d 10.2.0.1/32 -i eth0 -m policy --dir in --pol ipsec --reqid 1 --proto esp -j ACCEPT',
		],
	},
	{
		// docs.suricata.io, setting up IPS
		program: 'Suricata',
		rules: ['-A INPUT -j NFQUEUE --queue-num 0 --queue-bypass'],
	},
	{
		// The how-to of OpenVPN (TUN/TAP: firewall considerations)
		program: 'OpenVPN',
		rules: ['-A INPUT -i tun+ -j ACCEPT'],
	},
	{
		// fwknop's and other port knockers' way with ipt_recent: iptables-extensions(8)
		program: 'port knocking',
		rules: [
			'-A INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 30 --name SSH --mask 255.255.255.255 --rsource -j ACCEPT',
		],
	},
];
