import {BACKENDS} from '../lab/backends.ts';
import type {Host} from '../lab/namespaces.ts';
import {plain} from './saves.ts';

/** An old firewall made by hand: rules in every chain, policies that drop, and mixed spellings. */
export const HAND_MADE = {
	iptables: `\
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth9 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [12:3400]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
:bad.hosts - [0:0]
:in-tcp - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -j bad.hosts
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -p tcp -m comment --comment "what \\"we\\" offer: $HOME \`id\`" -j in-tcp
-A INPUT -m limit --limit 3/min -j LOG --log-prefix "in: " --log-level 7
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -i eth9 -o eth8 -j ACCEPT
-A OUTPUT -m owner --uid-owner 65534 -j REJECT --reject-with icmp-port-unreachable
-A OUTPUT -j ACCEPT
-A bad.hosts -s 203.0.113.0/24 -j DROP
-A bad.hosts -s 198.51.100.99/32 -p udp -m multiport --dports 53,123 -j DROP
-A in-tcp -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
	ip6tables: `\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -s 2001:db8:9::/64 -j ACCEPT
COMMIT
`,
} as const;

/** The same without what a program may need: a firewall of plain rules in INPUT alone. */
export const PLAIN_FIREWALL = {
	iptables: HAND_MADE.iptables
		.replace('-A INPUT -j bad.hosts', '-A INPUT -s 203.0.113.0/24 -j DROP')
		.replace(/-A INPUT -p tcp -m comment .*/, () => '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'),
	ip6tables: HAND_MADE.ip6tables,
} as const;

/** Loads it with the iptables of a backend, or with the one in use. */
export async function loadRules(
	host: Host,
	rules: Readonly<Record<'iptables' | 'ip6tables', string>>,
	backend?: (typeof BACKENDS)[number],
): Promise<void> {
	for (const name of ['iptables', 'ip6tables'] as const) {
		const program = backend === undefined ? name : `${name}-${backend}`;
		await host.must(`${program}-restore`, [], {input: rules[name]});
	}
}

/** Every rule, chain and policy of iptables: by `nft 4`, `legacy 6` and so on. Empty tables say nothing. */
export async function readAll(host: Host): Promise<Readonly<Record<string, string>>> {
	const places = BACKENDS.flatMap((backend) => [
		[`${backend} 4`, `iptables-${backend}-save`] as const,
		[`${backend} 6`, `ip6tables-${backend}-save`] as const,
	]);
	return Object.fromEntries(
		await Promise.all(
			places.map(async ([place, program]) => [
				place,
				plain(await host.must(program, []))
					.replace(/^\*\w+\n(:\w+ ACCEPT \[0:0\]\n)*COMMIT\n/gm, '')
					// Which table comes first depends on which was used first.
					.split(/(?<=^COMMIT\n)/m)
					.sort()
					.join(''),
			]),
		),
	);
}

/** The lines of the filter table that begin so. */
export function filterLines(save: string, start: string): readonly string[] {
	const [, part = ''] = /^\*filter\n([\s\S]*?)^COMMIT$/m.exec(save) ?? [];
	return part.split('\n').filter((line) => line.startsWith(start));
}
