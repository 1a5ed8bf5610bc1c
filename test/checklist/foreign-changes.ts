/**
 * A change to a machine's rules by another program or by hand: the commands that make it, the commands
 * that take it back, and what `check` says of it. The policy opens 22/tcp, 8000-8010/tcp and 53/udp.
 */
type ForeignChange = {
	readonly change: string;
	readonly does: readonly string[];
	readonly undoes: readonly string[];
	/** What the cause names; undefined where the change is harmless. */
	readonly found: readonly RegExp[] | undefined;
	/** What check says that its packets leave out. */
	readonly leftOut?: RegExp;
	/** It opens ports to a single network, so that it is named and nothing has failed. */
	readonly trusts?: true;
	/** The backend that it can be made in. Default: both. */
	readonly only?: 'nft' | 'legacy';
};

/** A rule of iptables, inserted at the top of its chain. */
function inserted(rule: string, program = 'iptables', table = 'filter') {
	const [chain = '', ...words] = rule.split(' ');
	return {
		does: [`${program} -t ${table} -I ${chain} 1 ${words.join(' ')}`],
		undoes: [`${program} -t ${table} -D ${rule}`],
	};
}

/** A table of nftables. */
function table(name: string, chain: string) {
	return {does: [`nft add table ${name} { ${chain}; }`], undoes: [`nft delete table ${name}`]};
}

/** A chain of another program that INPUT leads to, by -j or by -g. */
function inChain(rules: readonly string[], option = '-j', how = '') {
	return {
		does: [
			'iptables -N theirs',
			...rules.map((rule) => `iptables -A theirs ${rule}`),
			`iptables -I INPUT 1 ${how} ${option} theirs`,
		],
		undoes: [
			`iptables -D INPUT ${how} ${option} theirs`,
			'iptables -F theirs',
			'iptables -X theirs',
		],
	};
}

const EVERYTHING = /1-21, 23-7999, 8011-65535\/tcp/;

export const FOREIGN_CHANGES: readonly ForeignChange[] = [
	{
		change: 'RETURN ahead of the jump',
		...inserted('INPUT -j RETURN'),
		found: [EVERYTHING, /are open from anywhere over IPv4: -A INPUT -j RETURN, in filter/],
	},
	{
		change: 'SYNPROXY, which lets in whoever answers it',
		does: [
			'iptables -t raw -A PREROUTING -p tcp --dport 9443 --syn -j CT --notrack',
			'iptables -I INPUT 1 -p tcp --dport 9443 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --mss 1460',
		],
		undoes: [
			'iptables -t raw -D PREROUTING -p tcp --dport 9443 --syn -j CT --notrack',
			'iptables -D INPUT 1',
		],
		found: [/9443\/tcp is open from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 9443 /],
	},
	{
		change: 'RETURN for TCP',
		...inserted('INPUT -p tcp -j RETURN'),
		found: [EVERYTHING, /: -A INPUT -p tcp -j RETURN, in filter/],
	},
	{
		change: 'goto ahead of the jump',
		...inChain([], '-g'),
		found: [EVERYTHING, /: -A INPUT -g theirs, in filter/],
	},
	{
		change: 'goto to a chain that returns',
		...inChain(['-j RETURN'], '-g', '-p tcp'),
		found: [EVERYTHING, /: -A INPUT -p tcp -g theirs, in filter/],
	},
	{
		change: 'ACCEPT of everything',
		...inserted('INPUT -j ACCEPT'),
		found: [EVERYTHING, /: -A INPUT -j ACCEPT, in filter/],
	},
	{
		change: 'ACCEPT on an interface',
		...inserted('INPUT -i eth0 -j ACCEPT'),
		found: [EVERYTHING, /: -A INPUT -i eth0 -j ACCEPT, in filter/],
	},
	{
		change: 'ACCEPT of one port',
		...inserted('INPUT -p tcp --dport 3306 -j ACCEPT'),
		found: [
			/^3306\/tcp is open from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT, in filter$/,
		],
	},
	{
		change: 'ACCEPT of one port over IPv6',
		...inserted('INPUT -p udp --dport 161 -j ACCEPT', 'ip6tables'),
		found: [
			/^161\/udp is open from anywhere over IPv6: -A INPUT -p udp -m udp --dport 161 -j ACCEPT, in filter$/,
		],
	},
	{
		change: 'ACCEPT of several ports',
		...inserted('INPUT -p tcp -m multiport --dports 3306,5432 -j ACCEPT'),
		found: [/^3306, 5432\/tcp are open from anywhere over IPv4: .*--dports 3306,5432 -j ACCEPT/],
	},
	{
		change: 'ACCEPT of new connections',
		...inserted('INPUT -m conntrack --ctstate NEW -j ACCEPT'),
		found: [EVERYTHING, /: -A INPUT -m conntrack --ctstate NEW -j ACCEPT/],
	},
	{
		change: 'ACCEPT of a network',
		...inserted('INPUT -s 198.51.100.0/24 -j ACCEPT'),
		trusts: true,
		found: [
			EVERYTHING,
			/are open from 198\.51\.100\.0\/24 over IPv4: -A INPUT -s 198\.51\.100\.0\/24 -j ACCEPT/,
		],
	},
	{
		change: 'ACCEPT of a set of addresses',
		trusts: true,
		does: [
			'ipset create trusted hash:ip',
			'ipset add trusted 198.51.100.9',
			'iptables -I INPUT 1 -m set --match-set trusted src -j ACCEPT',
		],
		undoes: ['iptables -D INPUT -m set --match-set trusted src -j ACCEPT', 'ipset destroy trusted'],
		found: [EVERYTHING, /are open from 198\.51\.100\.9.*--match-set trusted src -j ACCEPT/],
	},
	{
		change: 'ACCEPT of a mark that mangle sets',
		does: [
			'iptables -t mangle -I PREROUTING 1 -p tcp --dport 3306 -j MARK --set-mark 7',
			'iptables -I INPUT 1 -m mark --mark 7 -j ACCEPT',
		],
		undoes: [
			'iptables -t mangle -D PREROUTING -p tcp --dport 3306 -j MARK --set-mark 7',
			'iptables -D INPUT -m mark --mark 7 -j ACCEPT',
		],
		found: [/^3306\/tcp is open from anywhere over IPv4: -A INPUT -m mark --mark 0x7 -j ACCEPT/],
	},
	{
		change: 'a chain that accepts one port',
		...inChain(['-p tcp --dport 3306 -j ACCEPT', '-j RETURN']),
		found: [
			/^3306\/tcp is open from anywhere over IPv4: -A theirs -p tcp -m tcp --dport 3306 -j ACCEPT/,
		],
	},
	{
		change: 'a chain that accepts everything',
		...inChain(['-j ACCEPT'], '-j', '-p tcp'),
		found: [EVERYTHING, /: -A theirs -j ACCEPT/],
	},
	{
		change: 'DROP of 22',
		...inserted('INPUT -p tcp --dport 22 -j DROP'),
		found: [
			/^22\/tcp is closed from anywhere over IPv4: -A INPUT -p tcp -m tcp --dport 22 -j DROP, in filter$/,
		],
	},
	{
		change: 'DROP of everything',
		...inserted('INPUT -j DROP'),
		found: [/22, 8000-8010\/tcp and 53\/udp are closed .*: -A INPUT -j DROP, in filter/],
	},
	{
		change: 'DROP of everything over IPv6',
		...inserted('INPUT -j DROP', 'ip6tables'),
		found: [/22, 8000-8010\/tcp and 53\/udp are closed .* over IPv6: -A INPUT -j DROP, in filter/],
	},
	{
		change: 'REJECT of a part of a range',
		...inserted('INPUT -p tcp --dport 8003:8005 -j REJECT'),
		found: [/^8003-8005\/tcp are closed from anywhere over IPv4: .* --dport 8003:8005 -j REJECT/],
	},
	{
		change: 'DROP of new UDP in a chain',
		...inChain(['-p udp -j DROP']),
		found: [/^53\/udp is closed from anywhere over IPv4: -A theirs -p udp -j DROP/],
	},
	{
		change: 'REDIRECT to an open port',
		...inserted('PREROUTING -p tcp --dport 3306 -j REDIRECT --to-ports 22', 'iptables', 'nat'),
		found: [
			/^3306\/tcp is open from anywhere over IPv4: -A PREROUTING .* -j REDIRECT --to-ports 22, in nat/,
		],
	},
	{
		change: 'REDIRECT of an open port to a closed one',
		...inserted('PREROUTING -p tcp --dport 22 -j REDIRECT --to-ports 2222', 'iptables', 'nat'),
		found: [
			/^22\/tcp is closed from anywhere over IPv4: -A PREROUTING .* -j REDIRECT --to-ports 2222, in nat/,
		],
	},
	{
		change: 'DNAT to another port of this machine',
		...inserted('PREROUTING -p tcp --dport 3306 -j DNAT --to-destination :22', 'iptables', 'nat'),
		found: [
			/^3306\/tcp is open from anywhere over IPv4: -A PREROUTING .* -j DNAT --to-destination :22, in nat/,
		],
	},
	{
		change: 'DNAT to another machine',
		does: [
			'sysctl -qw net.ipv4.ip_forward=1',
			'iptables -t nat -A PREROUTING -p tcp --dport 3306 -j DNAT --to-destination 10.9.1.9',
		],
		undoes: [
			'iptables -t nat -D PREROUTING -p tcp --dport 3306 -j DNAT --to-destination 10.9.1.9',
			'sysctl -qw net.ipv4.ip_forward=0',
		],
		found: [
			/^3306\/tcp is forwarded from anywhere over IPv4: -A PREROUTING .* -j DNAT --to-destination 10\.9\.1\.9, in nat; to close it: --published policy$/,
		],
	},
	{
		change: 'a port that Docker publishes (harmless)',
		does: [
			'sysctl -qw net.ipv4.ip_forward=1',
			'iptables -t nat -N DOCKER',
			'iptables -t nat -A DOCKER -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
			'iptables -t nat -A PREROUTING -j DOCKER',
			'ip route add 172.17.0.0/16 dev eth0',
		],
		undoes: [
			'iptables -t nat -D PREROUTING -j DOCKER',
			'iptables -t nat -F DOCKER',
			'iptables -t nat -X DOCKER',
			'ip route del 172.17.0.0/16 dev eth0',
			'sysctl -qw net.ipv4.ip_forward=0',
		],
		found: undefined,
	},
	{
		change: 'ACCEPT of half of all addresses',
		...inserted('INPUT -s 128.0.0.0/1 -p tcp --dport 3306 -j ACCEPT'),
		found: [
			/^3306\/tcp is open from .*over IPv4: -A INPUT -s 128\.0\.0\.0\/1 -p tcp -m tcp --dport 3306 -j ACCEPT, in filter$/,
		],
	},
	{
		change: 'DROP of half of all addresses',
		...inserted('INPUT -s 0.0.0.0/1 -p tcp --dport 22 -j DROP'),
		found: [
			/^22\/tcp is closed from .*over IPv4: -A INPUT -s 0\.0\.0\.0\/1 -p tcp -m tcp --dport 22 -j DROP, in filter$/,
		],
	},
	{
		change: 'ACCEPT of a set of sets',
		trusts: true,
		does: [
			'ipset create nets hash:net',
			'ipset add nets 198.51.100.0/24',
			'ipset create sets list:set',
			'ipset add sets nets',
			'iptables -I INPUT 1 -m set --match-set sets src -j ACCEPT',
		],
		undoes: [
			'iptables -D INPUT -m set --match-set sets src -j ACCEPT',
			'ipset destroy sets',
			'ipset destroy nets',
		],
		found: [EVERYTHING, /are open from 198\.51\.100\.0\/24 .*--match-set sets src -j ACCEPT/],
	},
	{
		change: 'DROP in raw',
		...inserted('PREROUTING -p tcp --dport 22 -j DROP', 'iptables', 'raw'),
		found: [/^22\/tcp is closed .*: -A PREROUTING -p tcp -m tcp --dport 22 -j DROP, in raw/],
	},
	{
		change: 'DROP in mangle',
		...inserted('INPUT -p tcp --dport 22 -j DROP', 'iptables', 'mangle'),
		found: [/^22\/tcp is closed .*: -A INPUT -p tcp -m tcp --dport 22 -j DROP, in mangle/],
	},
	{
		change: 'DROP in mangle, PREROUTING, over IPv6',
		...inserted('PREROUTING -p tcp --dport 22 -j DROP', 'ip6tables', 'mangle'),
		found: [
			/^22\/tcp is closed .* over IPv6: -A PREROUTING -p tcp -m tcp --dport 22 -j DROP, in mangle/,
		],
	},
	{
		change: 'DROP in security',
		...inserted('INPUT -p udp --dport 53 -j DROP', 'iptables', 'security'),
		found: [/^53\/udp is closed .*: -A INPUT -p udp -m udp --dport 53 -j DROP, in security/],
	},
	{
		change: 'nftables, inet: drop',
		...table('inet theirs', 'chain in { type filter hook input priority 10; tcp dport 22 drop; }'),
		found: [
			/^22\/tcp is closed from anywhere over IPv4 and IPv6: tcp dport 22 drop, in inet theirs, chain in$/,
		],
	},
	{
		change: 'nftables, inet: drop by policy, in prerouting',
		...table(
			'inet theirs',
			'chain in { type filter hook prerouting priority -350; policy drop; tcp dport != 22 accept; udp dport 1-65535 accept; meta l4proto { icmp, ipv6-icmp } accept; }',
		),
		found: [
			/^22\/tcp is closed from anywhere over IPv4 and IPv6: policy drop, in inet theirs, chain in$/,
		],
	},
	{
		change: 'nftables, ip: redirect',
		...table(
			'ip theirs',
			'chain pre { type nat hook prerouting priority -100; tcp dport 3306 redirect to :22; }',
		),
		found: [
			/^3306\/tcp is open from anywhere over IPv4: tcp dport 3306 redirect to :22, in ip theirs, chain pre$/,
		],
	},
	{
		change: 'nftables, netdev: drop',
		...table(
			'netdev theirs',
			'chain in { type filter hook ingress device "eth0" priority 0; tcp dport 22 drop; }',
		),
		found: [
			/^22\/tcp is closed from anywhere over IPv4 and IPv6: tcp dport 22 drop, in netdev theirs, chain in$/,
		],
	},
	{
		change: 'DROP in the legacy backend',
		...inserted('INPUT -p tcp --dport 22 -j DROP', 'iptables-legacy'),
		only: 'nft',
		found: [
			/^22\/tcp is closed .*: -A INPUT -p tcp -m tcp --dport 22 -j DROP, in filter, legacy backend$/,
		],
	},
	{
		change: 'DROP in the nft backend',
		...inserted('INPUT -p tcp --dport 22 -j DROP', 'iptables-nft'),
		only: 'legacy',
		found: [
			/^22\/tcp is closed .*: -A INPUT -p tcp -m tcp --dport 22 -j DROP, in filter, nft backend$/,
		],
	},
	{
		change: 'NOTRACK in raw',
		...inserted('PREROUTING -j CT --notrack', 'iptables', 'raw'),
		found: [
			/^no longer so over IPv4: its own TCP connections are answered, .*: -A PREROUTING -j CT --notrack, in raw$/,
		],
	},
	{
		change: 'DROP of what an open port answers',
		...inserted('OUTPUT -p tcp --sport 22 -j DROP'),
		found: [
			/^no longer so over IPv4: 22\/tcp answers: -A OUTPUT -p tcp -m tcp --sport 22 -j DROP, in filter$/,
		],
	},
	{
		change: 'DROP of ICMP',
		...inserted('INPUT -p icmp -j DROP'),
		found: [/^no longer so over IPv4: it answers ping, .*: -A INPUT -p icmp -j DROP, in filter$/],
	},
	{
		change: 'DROP of neighbour discovery',
		...inserted('INPUT -p ipv6-icmp -j DROP', 'ip6tables'),
		found: [
			/^no longer so over IPv6: .*neighbour discovery works.*: -A INPUT -p ipv6-icmp -j DROP, in filter$/,
		],
	},
	{
		change: 'DROP on loopback',
		...inserted('INPUT -i lo -j DROP'),
		found: [
			/^no longer so over IPv4: its programs reach each other: -A INPUT -i lo -j DROP, in filter$/,
		],
	},
	{
		change: 'DROP of answers',
		...inserted('INPUT -m conntrack --ctstate ESTABLISHED -j DROP'),
		found: [
			/^no longer so over IPv4: .*22\/tcp answers.*: -A INPUT -m conntrack --ctstate ESTABLISHED -j DROP, in filter$/,
		],
	},
	{
		change: 'nftables, inet: drop of what an open port answers',
		...table('inet theirs', 'chain out { type filter hook output priority 0; tcp sport 22 drop; }'),
		found: [
			/^no longer so over IPv4 and IPv6: 22\/tcp answers: tcp sport 22 drop, in inet theirs, chain out$/,
		],
	},
	{
		change: 'nftables, netdev: drop at egress',
		...table(
			'netdev theirs',
			'chain out { type filter hook egress device "eth0" priority 0; udp sport 53 drop; }',
		),
		found: [
			/^no longer so over IPv4 and IPv6: 53\/udp answers: udp sport 53 drop, in netdev theirs, chain out$/,
		],
	},
	{
		change: 'policy routing: no route for what this machine answers',
		does: ['ip rule add from 10.9.1.1 lookup 100', 'ip route add unreachable default table 100'],
		undoes: ['ip rule del from 10.9.1.1 lookup 100', 'ip route flush table 100'],
		leftOut: /policy routing \(ip rule\): \d+: from 10\.9\.1\.1 lookup 100/,
		found: [
			/^answers to \S+ \(anywhere\) do not leave over IPv4: the routes say "No route to host"; see: ip rule/,
		],
	},
	{
		change: 'policy routing: prohibited, over IPv6',
		does: [
			'ip -6 rule add from all lookup 100 pref 9',
			'ip -6 route add prohibit default table 100',
		],
		undoes: ['ip -6 rule del pref 9', 'ip -6 route flush table 100'],
		leftOut: /policy routing \(ip rule\): 9: from all lookup 100/,
		found: [
			/^answers to \S+ \(anywhere\) do not leave over IPv6: the routes say "Permission denied"/,
		],
	},
	{
		change: 'a hook of tc at ingress (left out)',
		does: ['tc qdisc add dev eth0 clsact'],
		undoes: ['tc qdisc del dev eth0 clsact'],
		leftOut: /^they were sent without tc filters at ingress of: eth0$/,
		found: undefined,
	},
	{
		change: 'an address filter of systemd (left out)',
		does: [
			'mkdir -p /etc/systemd/system/ssh.service.d',
			'echo IPAddressDeny=any >/etc/systemd/system/ssh.service.d/x.conf',
		],
		undoes: ['rm -r /etc/systemd/system/ssh.service.d'],
		leftOut: /address filters of systemd in: \/etc\/systemd\/system\/ssh\.service\.d\/x\.conf$/,
		found: undefined,
	},
	{
		change: 'an IPsec policy (left out)',
		does: ['ip xfrm policy add src 0.0.0.0/0 dst 10.9.1.1 dir in action block'],
		undoes: ['ip xfrm policy flush'],
		leftOut: /^they were sent without IPsec policies: from 0\.0\.0\.0\/0 to 10\.9\.1\.1\/32$/,
		found: undefined,
	},
	{
		change: 'nftables, bridge (left out)',
		does: ['nft add table bridge theirs'],
		undoes: ['nft delete table bridge theirs'],
		leftOut: /^they were sent without table bridge theirs$/,
		found: undefined,
	},
	{
		change: 'ACCEPT of a source port (left out)',
		...inserted('INPUT -p udp --sport 53 -j ACCEPT'),
		leftOut:
			/^they were sent without packets that meet -A INPUT -p udp -m udp --sport 53 -j ACCEPT$/,
		found: undefined,
	},
	{
		change: 'LOG, and a rule that counts (harmless)',
		does: ['iptables -I INPUT 1 -j LOG --log-prefix DROP', 'iptables -I INPUT 1 -p tcp --dport 22'],
		undoes: ['iptables -D INPUT -j LOG --log-prefix DROP', 'iptables -D INPUT -p tcp --dport 22'],
		found: undefined,
	},
	{
		change: 'an empty chain of fail2ban (harmless)',
		does: [
			'iptables -N f2b-sshd',
			'iptables -A f2b-sshd -j RETURN',
			'iptables -I INPUT 1 -p tcp -m multiport --dports 22 -j f2b-sshd',
		],
		undoes: [
			'iptables -D INPUT -p tcp -m multiport --dports 22 -j f2b-sshd',
			'iptables -F f2b-sshd',
			'iptables -X f2b-sshd',
		],
		found: undefined,
	},
	{
		change: 'outgoing mail blocked (harmless)',
		...inserted('OUTPUT -p tcp --dport 25 -j REJECT'),
		found: undefined,
	},
	{
		change: 'DROP of one address (harmless)',
		...inserted('INPUT -s 203.0.113.77 -j DROP'),
		found: undefined,
	},
];
