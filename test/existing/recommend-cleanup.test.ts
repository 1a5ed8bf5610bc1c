import {describe, expect, it, test} from 'vitest';
import {recommendCleanup} from '../../source/existing/recommend-cleanup.ts';
import type {RulesSnapshot} from '../../source/existing/snapshot.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {HAND_MADE, PLAIN_FIREWALL} from '../_helpers/samples/existing-rules.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import {filterTable} from '../_helpers/samples/program-rules.ts';

function asSnapshot(text: string, {inUse = true, family = 4 as 4 | 6} = {}): RulesSnapshot {
	const backend = inUse ? 'nft' : 'legacy';
	return {family, backend, inUse, text, rules: parseSave(text, family)};
}

const BEGINNING = [
	'-A INPUT -i lo -j ACCEPT',
	'-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
	'-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
];
const LAST = '-A INPUT -j REJECT --reject-with icmp-host-prohibited';

function adviceOn(rules: readonly string[], policy = 'ACCEPT', inUse = true) {
	const text = filterTable(rules).replace(':INPUT ACCEPT', `:INPUT ${policy}`);
	return recommendCleanup([asSnapshot(text, {inUse})]);
}

it('has nothing to say where INPUT is empty, or has our jump alone', () => {
	expect(adviceOn([])).toBeUndefined();
	expect(adviceOn(['-A FORWARD -i eth1 -j ACCEPT'], 'DROP')).toBeUndefined();
	expect(adviceOn(['-A INPUT -j FW-WIZARD-INPUT', '-A FW-WIZARD-INPUT -j DROP'])).toBeUndefined();
});

describe('a firewall of plain rules', () => {
	const PLAIN: ReadonlyArray<readonly [rules: readonly string[], policy: string]> = [
		[[...BEGINNING, LAST], 'ACCEPT'],
		[BEGINNING, 'DROP'],
		[['-A INPUT -j ACCEPT'], 'ACCEPT'],
		[
			[
				...BEGINNING,
				'-A INPUT ! -i lo -d 127.0.0.0/8 -j REJECT --reject-with icmp-port-unreachable',
				'-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT',
				'-A INPUT -p tcp -m state --state NEW -m multiport --dports 80,443 -j ACCEPT',
				'-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP',
				'-A INPUT -s 10.0.0.0/8 -p udp -m udp --sport 123 -j ACCEPT',
				'-A INPUT -m addrtype --dst-type BROADCAST -j DROP',
				'-A INPUT -m limit --limit 5/min -j LOG --log-prefix "denied -m set -j x: " --log-level 7',
				'-A INPUT -j nothing',
				LAST,
			],
			'ACCEPT',
		],
		[['-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT', LAST], 'ACCEPT'],
	];

	test.each(PLAIN)('is removed by recommendation: %j, policy %s', (rules, policy) => {
		const text = filterTable(rules)
			.replace(':INPUT ACCEPT', `:INPUT ${policy}`)
			.replace('*filter\n', '*filter\n:nothing - [0:0]\n');
		for (const inUse of [true, false]) {
			expect(recommendCleanup([asSnapshot(text, {inUse})])).toMatchObject({
				mode: 'flush-input',
				reason: expect.stringMatching(/: they look like an earlier firewall, made by hand$/),
			});
		}
	});

	it('is named by what decides', () => {
		expect(adviceOn([...BEGINNING, '-A INPUT -j DROP'])?.reason).toMatch(
			/^Rule 4 of INPUT \(-j DROP\) decides on everything: /,
		);
		expect(adviceOn(BEGINNING, 'DROP', false)?.reason).toMatch(
			/^The policy of INPUT in the legacy backend drops everything that no rule accepts: /,
		);
	});

	it('is one in each family, or all is kept', () => {
		const four = asSnapshot(PLAIN_FIREWALL.iptables);
		const six = asSnapshot(PLAIN_FIREWALL.ip6tables, {family: 6});
		expect(recommendCleanup([four, six])?.mode).toBe('flush-input');
		const open = PLAIN_FIREWALL.ip6tables.replace(':INPUT DROP', ':INPUT ACCEPT');
		expect(recommendCleanup([four, asSnapshot(open, {family: 6})])?.mode).toBe('keep');
	});
});

describe('is kept by recommendation, also where nothing is known of its program:', () => {
	const NEEDED: ReadonlyArray<readonly [rule: string, reason: RegExp]> = [
		['-A INPUT -p udp -m policy --dir in --pol ipsec -j ACCEPT', /an IPsec policy/],
		['-A INPUT -p tcp -m set --match-set blocklist src -j DROP', /a set of addresses/],
		['-A INPUT -m set ! --match-set allowed src -j DROP', /a set of addresses/],
		['-A INPUT -p tcp -m tcp --dport 9 -m comment --comment "x" -j ACCEPT', /a comment/],
		['-A INPUT -m comment --comment bare -j ACCEPT', /a comment/],
		['-A INPUT -p tcp -m tcp --dport 22 -j bans', /the chain bans/],
		['-A INPUT -g bans', /the chain bans/],
		['-A INPUT -i br-lan -p udp -m udp --dport 67 -j ACCEPT', /the interface br-lan/],
		['-A INPUT -i tun+ -j ACCEPT', /the interface tun\+/],
		['-A INPUT ! -i ppp0 -p tcp -m tcp --dport 53 -j ACCEPT', /the interface ppp0/],
		['-A INPUT -i eth1 -j ACCEPT', /the interface eth1/],
		['-A INPUT -p udp -m u32 --u32 "0x0>>0x16=0x1" -j DROP', /the condition "u32"/],
		['-A INPUT -m mark --mark 0x1 -j ACCEPT', /the condition "mark"/],
		['-A INPUT -m recent --name knock --rcheck -j ACCEPT', /the condition "recent"/],
		['-A INPUT -p esp -j ACCEPT', /the protocol esp/],
		['-A INPUT -p 112 -j ACCEPT', /the protocol vrrp/],
		['-A INPUT -j NFQUEUE --queue-num 0', /the target NFQUEUE/],
		['-A INPUT -p tcp -m tcp --dport 80', /counts packets/],
	];

	test.each(NEEDED)('%s', (rule, reason) => {
		const rules = [...BEGINNING, rule, LAST, '-A bans -s 192.0.2.1/32 -j DROP'];
		for (const policy of ['ACCEPT', 'DROP']) {
			const advice = adviceOn(rules, policy);
			expect(advice?.mode).toBe('keep');
			expect(advice?.reason).toMatch(reason);
			// The user learns that openings have no effect where the rules are kept.
			expect(advice?.reason).toMatch(/is evaluated before ours, and decides on everything$/);
		}
	});

	test.each([
		'-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT',
		'-A INPUT -p tcp -j DROP',
		'-A INPUT -s 203.0.113.9/32 -j DROP',
		'-A INPUT -p udp -m udp --dport 4789 -j DROP',
	])('%s, where nothing decides on everything', (rule) => {
		expect(adviceOn([rule])).toMatchObject({
			mode: 'keep',
			reason: expect.stringContaining('They do not decide on everything, and may be needed'),
		});
	});

	it('rules for two interfaces: one of them may lead inside', () => {
		const ssh = (card: string) => `-A INPUT -i ${card} -p tcp -m tcp --dport 22 -j ACCEPT`;
		expect(adviceOn([ssh('eth0'), ssh('eth0'), LAST])?.mode).toBe('flush-input');
		expect(adviceOn([ssh('eth0'), ssh('eth1'), LAST])?.mode).toBe('keep');
	});

	it('a firewall with chains of its own', () => {
		expect(recommendCleanup([asSnapshot(HAND_MADE.iptables)])).toEqual({
			mode: 'keep',
			reason:
				'Rule 2 of INPUT leads to the chain bad.hosts, and may be needed. Rule 7 of INPUT (-j REJECT --reject-with icmp-host-prohibited) is evaluated before ours, and decides on everything',
			shadowed: true,
		});
	});

	it('what belongs to a program, and what stands beside it', () => {
		expect(recommendCleanup([asSnapshot(NEIGHBOURS.iptables)])).toEqual({
			mode: 'keep',
			reason: 'They belong to Tailscale, libvirt and fail2ban, and are needed',
		});
		expect(
			adviceOn(['-A INPUT -j f2b-sshd', '-A f2b-sshd -j RETURN', ...BEGINNING, LAST]),
		).toMatchObject({
			mode: 'keep',
			reason: expect.stringMatching(/^Rules of fail2ban are among them, and are needed\. Rule 5 /),
		});
	});
});

it('says of kept rules that the other backend drops what they do not accept', () => {
	const rules = [...BEGINNING, '-A INPUT -m mark --mark 0x1 -j ACCEPT'];
	expect(adviceOn(rules, 'DROP', false)?.reason).toMatch(
		/\. The legacy backend drops what its own rules do not accept, whatever is opened here$/,
	);
});
