import type {Backend} from '../../source/host/netfilter/iptables.ts';
import type {Family} from '../../source/lib/network.ts';
import {otherOf} from '../_helpers/samples/proofs.ts';

/** A way in which a firewall can be other than its policy says. */
export type Fault = {
	readonly name: string;
	/** It concerns the policy with networks, interfaces and limits. */
	readonly scoped?: true;
	/** What is to be read in the report. */
	readonly finds: readonly RegExp[];
	/** Changes the text that is loaded, of one family or of both. */
	readonly edit?: {
		readonly family?: Family;
		readonly from: string | RegExp;
		readonly to: string;
	};
	/** Shell commands that come after. */
	readonly after?: (backend: Backend) => readonly string[];
};

const INPUT = '-A FW-WIZARD-INPUT';
const remove = (from: RegExp, family?: Family): NonNullable<Fault['edit']> => ({
	...(family ? {family} : {}),
	from,
	to: '',
});

/** Faults of the rules that the two policies of faults.test.ts give. */
export const FAULTS: readonly Fault[] = [
	{
		name: 'a rule is missing',
		edit: remove(/^-A \S+ -p udp --dport 53 .*\n/m),
		finds: [
			/53\/udp is closed from anywhere over IPv4: rule 7 of FW-WIZARD-INPUT/,
			/53\/udp is closed from anywhere over IPv6: rule 7 of FW-WIZARD-INPUT/,
		],
	},
	{
		name: 'an ACCEPT ahead of our jump',
		after: () => ['iptables -I INPUT 1 -p tcp --dport 3306 -j ACCEPT'],
		finds: [/3306\/tcp passes from anywhere over IPv4: rule 1 of INPUT, not part of this firewall/],
	},
	{
		name: 'a DROP ahead of our jump',
		after: () => ['ip6tables -I INPUT 1 -p tcp --dport 22 -j DROP'],
		finds: [
			/22\/tcp is closed from anywhere over IPv6: rule 1 of INPUT, not part of this firewall/,
		],
	},
	{
		name: 'a DROP in the other backend',
		after: (backend) => [`iptables-${otherOf(backend)} -A INPUT -p tcp --dport 22 -j DROP`],
		finds: [
			/22\/tcp is closed from anywhere over IPv4: rule 1 of INPUT, not part of this firewall/,
		],
	},
	{
		name: 'the policy DROP of the other backend',
		after: (backend) => [`ip6tables-${otherOf(backend)} -P INPUT DROP`],
		finds: [
			/22\/tcp, 53\/tcp.* shut from anywhere over IPv6: the policy DROP of INPUT, in filter, \w+ backend/,
		],
	},
	{
		name: 'an nftables table that drops ssh',
		after: () => [
			"nft 'add table inet guard; add chain inet guard in { type filter hook input priority 10; }; add rule inet guard in tcp dport 22 drop'",
		],
		finds: [
			/22\/tcp is closed from anywhere over IPv4: tcp dport 22 drop, in inet guard, chain in/,
			/22\/tcp is closed from anywhere over IPv6: tcp dport 22 drop, in inet guard, chain in/,
		],
	},
	{
		name: 'an nftables table that drops at ingress',
		after: () => [
			"nft 'add table netdev guard; add chain netdev guard in { type filter hook ingress device eth0 priority 0; }; add rule netdev guard in udp dport 53 drop'",
		],
		finds: [
			/53\/udp is closed from anywhere over IPv4: udp dport 53 drop, in netdev guard, chain in/,
			/53\/udp is closed from anywhere over IPv6: udp dport 53 drop, in netdev guard, chain in/,
		],
	},
	{
		name: 'no IPv6 rules at all',
		after: () => ['ip6tables -F; ip6tables -X; ip6tables -t raw -F; ip6tables -t raw -X'],
		finds: [
			/1-20\/tcp, 23-52\/tcp.* passes from anywhere over IPv6: no rule decides: the policy of INPUT/,
		],
	},
	{
		name: 'icmp in place of ipv6-icmp',
		edit: {family: 6, from: '-p ipv6-icmp', to: '-p icmp'},
		finds: [/Failed: IPv6: it answers ping/, /Failed: IPv6: neighbour discovery works/],
	},
	{
		name: 'the ICMP rule is missing',
		edit: remove(/^-A \S+ -p icmp .*\n/m, 4),
		finds: [/Failed: IPv4: it answers ping/],
	},
	{
		name: 'a range begins one too late',
		edit: {from: '8000:8010', to: '8001:8010'},
		finds: [/: 8000\/tcp is closed from anywhere over IPv4: rule 8 of FW-WIZARD-INPUT/],
	},
	{
		name: 'a range ends one too late',
		edit: {family: 6, from: '8000:8010', to: '8000:8011'},
		finds: [/: 8011\/tcp passes from anywhere over IPv6: rule 6 of FW-WIZARD-INPUT/],
	},
	{
		name: 'a range ends one too soon',
		edit: {family: 6, from: '8000:8010', to: '8000:8009'},
		finds: [/: 8010\/tcp is closed from anywhere over IPv6: rule 8 of FW-WIZARD-INPUT/],
	},
	{
		name: 'a helper without its CT rule, as a server',
		edit: remove(/^-A FW-WIZARD-PREROUTING .*\n/m, 4),
		finds: [/Failed: IPv4: passive FTP as a server/],
	},
	{
		name: 'a helper without its CT rule, as a client',
		edit: remove(/^-A FW-WIZARD-OUTPUT .*\n/m, 6),
		finds: [/Failed: IPv6: active FTP as a client/],
	},
	{
		name: 'the wrong source network',
		scoped: true,
		edit: {family: 4, from: '10.1.0.0/16', to: '10.2.0.0/16'},
		finds: [
			/5432\/tcp is closed from 10\.1\.0\.0\/16 over IPv4/,
			/5432\/tcp passes from just outside of 10\.1\.0\.0\/16 over IPv4: rule 7 of FW-WIZARD-INPUT/,
		],
	},
	{
		name: 'a source network too wide',
		scoped: true,
		edit: {family: 4, from: '10.1.0.0/16', to: '10.0.0.0/14'},
		finds: [
			/5432\/tcp passes from just outside of 10\.1\.0\.0\/16 over IPv4: rule 7 of FW-WIZARD-INPUT/,
		],
	},
	{
		name: 'a source network too narrow',
		scoped: true,
		edit: {family: 4, from: '10.1.0.0/16', to: '10.1.128.0/17'},
		finds: [/5432\/tcp is closed from 10\.1\.0\.0\/16 over IPv4/],
	},
	{
		name: 'no source network',
		scoped: true,
		edit: {family: 4, from: '-s 10.1.0.0/16 ', to: ''},
		finds: [/5432\/tcp passes from anywhere over IPv4: rule 7 of FW-WIZARD-INPUT/],
	},
	{
		name: 'no interface',
		scoped: true,
		edit: {from: '-i wg0 ', to: ''},
		finds: [
			/9100\/tcp passes from anywhere over IPv4: rule 8 of FW-WIZARD-INPUT/,
			/9100\/tcp passes from anywhere over IPv6: rule 7 of FW-WIZARD-INPUT/,
		],
	},
	{
		name: 'another interface',
		scoped: true,
		edit: {family: 6, from: '-i wg0', to: '-i wg1'},
		finds: [/9100\/tcp is closed from anywhere on wg0 over IPv6/],
	},
	{
		name: 'no rule for answers',
		edit: remove(/^.*ESTABLISHED,RELATED.*\n/m, 4),
		finds: [
			/Failed: IPv4: its own TCP connections are answered/,
			/Failed: IPv4: its own UDP questions/,
		],
	},
	{
		name: 'no rule for loopback',
		edit: remove(/^.* -i lo .*\n/m, 6),
		finds: [/Failed: IPv6: its programs reach each other/],
	},
	{
		name: 'no rule for DHCPv4',
		edit: remove(/^.* --sport 67 .*\n/m, 4),
		finds: [/Failed: IPv4: DHCPv4 answers arrive/],
	},
	{
		name: 'no rule for DHCPv6',
		edit: remove(/^.* --sport 547 .*\n/m, 6),
		finds: [
			/Failed: IPv6: DHCPv6 answers arrive/,
			/Failed: IPv6: DHCPv6 answers from a global address arrive/,
		],
	},
	{
		name: 'no rule against INVALID',
		edit: remove(/^.* INVALID .*\n/m, 4),
		finds: [/Failed: IPv4: packets that fit no connection \(INVALID\) do not pass/],
	},
	{
		name: 'INVALID let in by a rule before the jump',
		after: () => ['iptables -I INPUT 1 -m conntrack --ctstate INVALID -j ACCEPT'],
		finds: [/Failed: IPv4: packets that fit no connection \(INVALID\) do not pass/],
	},
	{
		name: 'an ACCEPT of everything before the verdict',
		edit: {family: 4, from: `${INPUT} -j REJECT`, to: `${INPUT} -j ACCEPT\n${INPUT} -j REJECT`},
		finds: [/1-20\/tcp.* passes from anywhere over IPv4: rule 8 of FW-WIZARD-INPUT/],
	},
	{
		name: 'unsolicited ACKs let in',
		edit: {
			family: 4,
			from: `${INPUT} -j REJECT`,
			to: `${INPUT} -p tcp ! --syn -j ACCEPT\n${INPUT} -j REJECT`,
		},
		finds: [/Failed: IPv4: unsolicited ACK packets do not pass/],
	},
	{
		name: 'no jump',
		edit: remove(/^-A INPUT .*\n/m, 6),
		finds: [/1-20\/tcp.* passes from anywhere over IPv6: no rule decides: the policy of INPUT/],
	},
	{
		name: 'the jump behind an ACCEPT of everything',
		after: () => ['iptables -I INPUT 1 -j ACCEPT'],
		finds: [
			/1-20\/tcp.* passes from anywhere over IPv4: rule 1 of INPUT, not part of this firewall/,
		],
	},
	{
		name: 'no rules, and the policy DROP',
		after: () => ['iptables -F; iptables -X; iptables -P INPUT DROP'],
		finds: [
			/21-22\/tcp, 53\/tcp.* is closed from anywhere over IPv4: no rule decides: the policy of INPUT/,
			/Failed: IPv4: its own TCP connections are answered/,
		],
	},
	{
		name: 'a limit too tight',
		scoped: true,
		edit: {from: '--hashlimit-burst 6', to: '--hashlimit-burst 2'},
		finds: [/Failed: IPv4: 2222\/tcp takes 6 new connections at once: 2 of 7 passed/],
	},
	{
		name: 'no limit',
		scoped: true,
		edit: {family: 6, from: / -m hashlimit.*(?= -j)/, to: ''},
		finds: [/Failed: IPv6: 2222\/tcp takes 6 new connections at once: 7 of 7 passed/],
	},
	{
		name: 'tcp in place of udp',
		edit: {family: 4, from: '-p udp --dport 53', to: '-p tcp --dport 53'},
		finds: [/53\/udp is closed from anywhere over IPv4/],
	},
	{
		name: 'a slip of the finger in a port',
		edit: {family: 4, from: '22,53', to: '22,35'},
		finds: [
			/: 35\/tcp passes from anywhere over IPv4: rule 6 of FW-WIZARD-INPUT/,
			/: 53\/tcp is closed from anywhere over IPv4: rule 8 of FW-WIZARD-INPUT/,
		],
	},
	{
		name: 'another verdict',
		edit: {family: 4, from: `${INPUT} -j REJECT`, to: `${INPUT} -j DROP`},
		finds: [
			/Failed: IPv4: closed ports are blocked, TCP: the client is told nothing, and under reject it is port unreachable/,
			/Failed: IPv4: closed ports are blocked, UDP: the client is told nothing/,
		],
	},
	{
		name: 'a rule in the mangle table that drops',
		after: () => ['iptables -t mangle -A PREROUTING -p udp --dport 53 -j DROP'],
		finds: [
			/53\/udp is closed from anywhere over IPv4: -A PREROUTING -p udp -m udp --dport 53 -j DROP, in mangle/,
		],
	},
	{
		name: 'a redirection to an open port',
		after: () => ['iptables -t nat -A PREROUTING -p tcp --dport 8443 -j REDIRECT --to-ports 22'],
		finds: [
			/8443\/tcp passes from anywhere over IPv4: -A PREROUTING .*-j REDIRECT --to-ports 22, in nat/,
		],
	},
];
