import {describe, expect, it} from 'vitest';
import {type Family, type Network, parseNetwork} from '../../source/lib/network.ts';
import {HELPER_NAMES, type HelperName} from '../../source/policy/helpers.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy, VERDICTS, type Verdict} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRule} from '../../source/ruleset/format-iptables.ts';
import {findChain} from '../../source/ruleset/model.ts';

type Wish = {
	readonly verdict?: Verdict;
	readonly open?: readonly string[];
	readonly helpers?: readonly HelperName[];
	readonly log?: boolean;
	readonly blocked?: readonly Network[];
};

/** The rules of one of our chains as text, less those that every policy has. */
function linesOf(family: Family, wish: Wish, name = 'FW-WIZARD-INPUT'): readonly string[] {
	const openings = (wish.open ?? []).flatMap((text) => parseOpening(text, new Map()));
	const policy = completePolicy({...wish, openings});
	const [rules] = buildRuleSet(policy, {families: [family]}).families;
	const table = name === 'FW-WIZARD-INPUT' ? 'filter' : 'raw';
	return ((rules && findChain(rules, table, name)?.rules) ?? []).map((rule) =>
		printRule(rule, family),
	);
}

const input = (family: Family, wish: Wish) => linesOf(family, wish);
const openedBy = (family: Family, ...open: readonly string[]) =>
	linesOf(family, {open}).slice(5, -1);

const FLOOR: Readonly<Record<Family, readonly string[]>> = {
	4: [
		'-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
		'-p icmp -j ACCEPT',
		'-i lo -j ACCEPT',
		'-m conntrack --ctstate INVALID -j DROP',
		'-p udp --sport 67 --dport 68 -j ACCEPT',
	],
	6: [
		'-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
		'-p ipv6-icmp -j ACCEPT',
		'-i lo -j ACCEPT',
		'-m conntrack --ctstate INVALID -j DROP',
		'-d fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT',
	],
};

const LAST: Readonly<Record<Verdict, readonly string[]>> = {
	reject: ['-j REJECT'],
	reset: ['-p tcp --syn -j REJECT --reject-with tcp-reset', '-j REJECT'],
	drop: ['-j DROP'],
};

const BOTH = [4, 6] as const;

describe.each(BOTH)('the rules of IPv%i', (family) => {
	it.each(VERDICTS)('are, for %s, in this order', (verdict) => {
		expect(input(family, {verdict})).toEqual([...FLOOR[family], ...LAST[verdict]]);
		expect(input(family, {verdict, open: ['22/tcp', '53'], log: true})).toEqual([
			...FLOOR[family],
			'-p tcp -m multiport --dports 22,53 -j ACCEPT',
			'-p udp --dport 53 -j ACCEPT',
			'-m limit --limit 10/min --limit-burst 10 -j LOG --log-prefix "fw-wizard: "',
			...LAST[verdict],
		]);
	});

	it('never ask whether an opened packet begins a connection: others may be under way', () => {
		for (const open of ['22/tcp', '22/tcp limit', '22/tcp on eth0', '1-65535', 'mdns']) {
			expect(openedBy(family, open).join('\n')).not.toMatch(/--syn|--ctstate|NEW/);
		}
	});

	it('hold a limit to each source, with a name of its own for each port', () => {
		const mask = family === 6 ? ' --hashlimit-srcmask 64' : '';
		const rate = '-m hashlimit --hashlimit-upto 6/min --hashlimit-burst 6 --hashlimit-mode srcip';
		expect(openedBy(family, '22/tcp limit', '53 limit', '65534-65535/udp limit')).toEqual([
			`-p tcp --dport 22 ${rate} --hashlimit-name fwt22${mask} -j ACCEPT`,
			`-p tcp --dport 53 ${rate} --hashlimit-name fwt53${mask} -j ACCEPT`,
			`-p udp --dport 53 ${rate} --hashlimit-name fwu53${mask} -j ACCEPT`,
			`-p udp --dport 65534:65535 ${rate} --hashlimit-name fwu65534-65535${mask} -j ACCEPT`,
		]);
	});

	it('keep openings of different kinds apart', () => {
		const network = family === 4 ? '10.0.0.0/8' : 'fd00::/8';
		const open = [
			'22/tcp',
			`22/udp from ${network}`,
			'80/tcp on eth0',
			'443/tcp',
			'81/tcp on eth0',
		];
		expect(openedBy(family, ...open)).toEqual([
			'-p tcp -m multiport --dports 22,443 -j ACCEPT',
			`-s ${network} -p udp --dport 22 -j ACCEPT`,
			'-i eth0 -p tcp -m multiport --dports 80,81 -j ACCEPT',
		]);
	});

	it('take a network of all addresses for no condition but the family', () => {
		const [own, other] = family === 4 ? ['0.0.0.0/0', '::/0'] : ['::/0', '0.0.0.0/0'];
		expect(openedBy(family, `22/tcp from ${own} on eth0`)).toEqual([
			'-i eth0 -p tcp --dport 22 -j ACCEPT',
		]);
		expect(openedBy(family, `22/tcp from ${other} on eth0`)).toEqual([]);
	});
});

describe('an opening for a network', () => {
	it('makes a rule in its own family only', () => {
		expect(openedBy(4, '22/tcp from 10.1.2.3')).toEqual([
			'-s 10.1.2.3 -p tcp --dport 22 -j ACCEPT',
		]);
		expect(openedBy(6, '22/tcp from 10.1.2.3')).toEqual([]);
		expect(openedBy(6, '22/tcp from 2001:db8::/32')).toEqual([
			'-s 2001:db8::/32 -p tcp --dport 22 -j ACCEPT',
		]);
		expect(openedBy(4, '22/tcp from 2001:db8::/32')).toEqual([]);
	});
});

it('drops what comes from a blocked address ahead of all openings, in its own family', () => {
	const blocked = ['203.0.113.9', '10.0.0.0/8', '2001:db8::/32', '203.0.113.9'].map(parseNetwork);
	const wish = {open: ['22/tcp'], blocked};
	expect(input(4, wish)).toEqual([
		...FLOOR[4],
		...['-s 203.0.113.9 -j DROP', '-s 10.0.0.0/8 -j DROP'],
		...['-p tcp --dport 22 -j ACCEPT', ...LAST.reject],
	]);
	expect(input(6, wish)[5]).toBe('-s 2001:db8::/32 -j DROP');
});

describe('ssdp', () => {
	it('opens the group, and answers of local networks to ports of searchers; IGMP once beside mdns', () => {
		const answers = (source: string) =>
			`-s ${source} -i eth0 -p udp --sport 1900 --dport 32768:60999 -j ACCEPT`;
		expect(openedBy(4, 'ssdp on eth0')).toEqual([
			'-d 239.255.255.250 -i eth0 -p udp --dport 1900 -j ACCEPT',
			...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'].map(answers),
			'-d 224.0.0.0/4 -i eth0 -p 2 -j ACCEPT',
		]);
		expect(openedBy(6, 'ssdp on eth0')).toEqual([
			'-d ff02::c -i eth0 -p udp --dport 1900 -j ACCEPT',
			'-d ff05::c -i eth0 -p udp --dport 1900 -j ACCEPT',
			...['fe80::/10', 'fc00::/7'].map(answers),
		]);
		expect(openedBy(4, 'mdns', 'ssdp').filter((text) => text.includes('-p 2 '))).toHaveLength(1);
	});
});

describe('protocols without ports', () => {
	it('are numbers where names depend on the machine, in the families that they have', () => {
		const list = [
			'vrrp on eth0',
			'esp from 10.0.0.0/8',
			'6in4',
			'gre from fd00::/8',
			'protocol 41',
		];
		expect(openedBy(4, ...list)).toEqual([
			'-i eth0 -p 112 -j ACCEPT',
			'-s 10.0.0.0/8 -p esp -j ACCEPT',
			'-p 41 -j ACCEPT',
		]);
		expect(openedBy(6, ...list)).toEqual([
			'-i eth0 -p 112 -j ACCEPT',
			'-s fd00::/8 -p 47 -j ACCEPT',
			'-p 41 -j ACCEPT',
		]);
		expect(openedBy(4, '2905/sctp', '3868-3870/sctp', 'sctp on eth0')).toEqual([
			'-p sctp -m multiport --dports 2905,3868:3870 -j ACCEPT',
			'-i eth0 -p sctp -j ACCEPT',
		]);
	});
});

describe('mdns', () => {
	it('lets in multicast only', () => {
		expect(openedBy(4, 'mdns')).toEqual([
			'-d 224.0.0.251 -p udp --dport 5353 -j ACCEPT',
			'-d 224.0.0.0/4 -p 2 -j ACCEPT',
		]);
		expect(openedBy(6, 'mdns')).toEqual(['-d ff02::fb -p udp --dport 5353 -j ACCEPT']);
	});

	it('lets it in on each interface that is named', () => {
		expect(openedBy(6, 'mdns on eth0', 'mdns on wg0')).toEqual([
			'-d ff02::fb -i eth0 -p udp --dport 5353 -j ACCEPT',
			'-d ff02::fb -i wg0 -p udp --dport 5353 -j ACCEPT',
		]);
		expect(openedBy(4, 'mdns on eth0')).toHaveLength(2);
	});
});

describe('helpers', () => {
	const chain = (
		family: Family,
		side: 'OUTPUT' | 'PREROUTING',
		helpers: readonly HelperName[],
		open: readonly string[] = [],
	) => linesOf(family, {helpers, open}, `FW-WIZARD-${side}`);

	it('add no rule when none is chosen, and none to INPUT ever', () => {
		expect(chain(4, 'OUTPUT', [])).toEqual([]);
		expect(chain(4, 'PREROUTING', [], ['21/tcp'])).toEqual([]);
		expect(input(4, {helpers: HELPER_NAMES})).toEqual(input(4, {}));
	});

	it('help connections from this machine in raw OUTPUT', () => {
		expect(chain(4, 'OUTPUT', HELPER_NAMES)).toEqual([
			'-p tcp --dport 21 -j CT --helper ftp',
			'-p udp --dport 69 -j CT --helper tftp',
			'-p tcp --dport 6667 -j CT --helper irc',
			'-p udp --dport 5060 -j CT --helper sip',
			'-p tcp --dport 5060 -j CT --helper sip',
			'-p tcp --dport 1723 -j CT --helper pptp',
			'-p udp --dport 1719 -j CT --helper RAS',
			'-p tcp --dport 1720 -j CT --helper Q.931',
			'-p udp --dport 137 -j CT --helper netbios-ns',
			'-p udp --dport 161 -j CT --helper snmp',
		]);
	});

	it('leave out of IPv6 those that only know IPv4', () => {
		const lines = chain(6, 'OUTPUT', HELPER_NAMES);
		expect(lines.map((line) => line.split(' ').at(-1))).toEqual([
			'ftp',
			'tftp',
			'sip',
			'sip',
			'RAS',
			'Q.931',
		]);
		expect(chain(6, 'PREROUTING', HELPER_NAMES, ['1-65535']).join()).not.toContain('pptp');
	});

	it('help connections to this machine in raw PREROUTING, for open ports alone', () => {
		expect(chain(4, 'PREROUTING', HELPER_NAMES)).toEqual([]);
		expect(chain(4, 'PREROUTING', HELPER_NAMES, ['1-65535'])).toEqual([
			'-p tcp --dport 21 -j CT --helper ftp',
			'-p udp --dport 5060 -j CT --helper sip',
			'-p tcp --dport 5060 -j CT --helper sip',
			'-p tcp --dport 1723 -j CT --helper pptp',
			'-p udp --dport 1719 -j CT --helper RAS',
			'-p tcp --dport 1720 -j CT --helper Q.931',
			'-p udp --dport 10080 -j CT --helper amanda',
			'-p tcp --dport 6566 -j CT --helper sane',
		]);
	});

	it.each<[readonly string[], readonly number[]]>([
		[['21/tcp'], [4, 6]],
		[['20-22'], [4, 6]],
		[['21/tcp from 10.0.0.0/8'], [4]],
		[['21/tcp from fd00::/8 on eth0'], [6]],
		[['21/tcp limit'], [4, 6]],
		[['21/udp'], []],
		[['22/tcp', '20/tcp'], []],
		[['mdns'], []],
	])('with %j open help an FTP server over IPv%j', (open, families) => {
		expect(BOTH.filter((family) => chain(family, 'PREROUTING', ['ftp'], open).length > 0)).toEqual(
			families,
		);
	});
});
