import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
	peculiaritiesOf,
	withoutRateLimits,
	withSources,
} from '../../source/exposure/strip-rate-limits.ts';
import {FAMILIES, parseNetwork} from '../../source/lib/network.ts';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import {firstPacket} from '../../source/ruleset/evaluate-ports.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {addresses, networks} from '../_helpers/samples/arbitraries.ts';

describe('rules as they are for newcomers', () => {
	it.each([
		['-m limit --limit 3/min --limit-burst 10 -j LOG', '-j LOG'],
		['-p tcp -m limit --limit 10/sec -j RETURN', '-p tcp -j RETURN'],
		[
			'-p tcp -m tcp --dport 22 -m hashlimit --hashlimit-upto 6/min --hashlimit-burst 6 --hashlimit-mode srcip --hashlimit-name a -j ACCEPT',
			'-p tcp -m tcp --dport 22 -j ACCEPT',
		],
		[
			'-p tcp -m connlimit --connlimit-upto 5 --connlimit-mask 32 --connlimit-saddr -j ACCEPT',
			'-p tcp -j ACCEPT',
		],
		['-p tcp -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource -j X', '-p tcp -j X'],
		[
			'-m recent ! --update --seconds 60 --hitcount 4 --name s --mask 255.255.255.255 --rsource -j ACCEPT',
			'-j ACCEPT',
		],
		[
			'-p tcp -m tcp --dport 443 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --mss 1460',
			'-p tcp -m tcp --dport 443 -m conntrack --ctstate INVALID,UNTRACKED -j ACCEPT',
		],
	])('come under no limit: %s', (rule, left) => {
		expect(withoutRateLimits(`-A INPUT ${rule}`)).toBe(`-A INPUT ${left}`);
	});

	it.each([
		'-m hashlimit --hashlimit-above 6/min --hashlimit-name a -j DROP',
		'-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr -j REJECT',
		'-m connlimit --connlimit-mask 32 --connlimit-above 5 -j REJECT',
		'-m recent --update --seconds 30 --hitcount 6 --name DEFAULT --rsource -j ufw-user-limit',
		'-m recent --rcheck --seconds 86400 --name scan --rsource -j DROP',
		'-p tcp -m tcp --dport 139 -j SET --add-set scanners src',
	])('lack those that shut out who comes again: %s', (rule) => {
		expect(withoutRateLimits(`-A INPUT ${rule}\n-A INPUT -j ACCEPT`)).toBe('-A INPUT -j ACCEPT');
	});

	it('are so in the words of nftables too', () => {
		const chain = (...rules: readonly string[]) =>
			['table inet x {', '\tchain y {', ...rules.map((rule) => `\t\t${rule}`), '\t}', '}'].join(
				'\n',
			);
		expect(
			withoutRateLimits(
				chain(
					'type filter hook input priority filter; policy drop;',
					'tcp dport 22 limit rate 6/minute burst 5 packets accept',
					'tcp dport 28 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm',
					'tcp dport 23 limit rate over 6/minute drop',
					'tcp dport 24 add @seen { ip saddr limit rate over 1/second } drop',
					'tcp dport 25 update @seen { ip saddr limit rate 1/second } accept',
					'tcp dport 26 ct count over 3 reject',
					'tcp dport 27 ct count 3 accept',
					'tcp dport 28 add @scanners { ip saddr timeout 1d }',
				),
			),
		).toBe(
			chain(
				'type filter hook input priority filter; policy drop;',
				'tcp dport 22 accept',
				'tcp dport 28 ct state invalid,untracked accept',
				'tcp dport 25 accept',
				'tcp dport 27 accept',
				'tcp dport 28',
			),
		);
	});

	it('leave alone what has no limit', () => {
		const text =
			'*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m multiport --dports 1,2 -j ACCEPT\n';
		expect(withoutRateLimits(text)).toBe(text);
	});
});

describe('rules as they are for packets from a few addresses', () => {
	const kept = (text: string, ...sources: readonly string[]) => withSources(text, sources) === text;

	it.each([
		'-A INPUT -s 10.0.0.0/8 -j DROP',
		'-A INPUT -s 10.1.2.3/32 -p tcp -m tcp --dport 22 -j ACCEPT',
		'-A INPUT ! -s 192.0.2.0/24 -j DROP',
		'-A INPUT -d 192.0.2.1/32 -j DROP',
		'-A INPUT -s 192.0.2.1/255.0.255.255 -j DROP',
		'-A INPUT -m comment --comment "-s 192.0.2.1/32 -j" -j DROP',
		'-A INPUT -s 2001:db8::/32 -j DROP',
		'-A INPUT -s ::/1 -j DROP',
		'-A INPUT -s fe80::1/128 -j DROP',
		':INPUT ACCEPT [0:0]',
	])('have %s', (line) => {
		expect(kept(line, '10.1.2.3', '2001:db8::7')).toBe(true);
	});

	it.each([
		'-A INPUT -s 10.1.2.2/32 -j DROP',
		'-A f2b-sshd -s 10.2.0.0/16 -j REJECT --reject-with icmp-port-unreachable',
		'-A INPUT -s 2001:db8:1::/48 -j DROP',
		'-A INPUT -s ::10.1.2.3/128 -j DROP',
		'-A PREROUTING -s 192.0.2.0/24 -i eth0 -j RETURN',
	])('lack %s', (line) => {
		expect(kept(line, '10.1.2.3', '2001:db8::7')).toBe(false);
	});

	it('decide on those packets as all of them do', () => {
		const family = fc.constantFrom(...FAMILIES);
		const cases = family.chain((one) =>
			fc.record({
				family: fc.constant(one),
				sources: fc.array(addresses(one), {minLength: 1, maxLength: 3}),
				near: fc.array(fc.tuple(fc.nat(2), fc.integer({min: 1, max: 32})), {maxLength: 3}),
				far: fc.array(networks([one]), {maxLength: 10}),
				actions: fc.infiniteStream(fc.constantFrom('ACCEPT', 'DROP', 'RETURN', 'other')),
			}),
		);
		fc.assert(
			fc.property(cases, ({family, sources, near, far, actions}) => {
				const around = near.map(([index, prefix]) =>
					parseNetwork(`${sources[index % sources.length]}/${prefix}`),
				);
				const cidrs = [...far, ...around].map(({cidr}) => cidr);
				const rules = cidrs.map((cidr, index) => {
					const chain = index % 3 === 0 ? 'other' : 'INPUT';
					const {value} = actions.next();
					return `-A ${chain} -s ${cidr} -j ${chain === value ? 'DROP' : value}`;
				});
				const text = ['*filter', ':INPUT DROP [0:0]', ':other - [0:0]', ...rules].join('\n');
				for (const source of sources) {
					const packet = firstPacket({family, inInterface: 'eth0', source}, 'tcp', 22);
					const {by, verdict} = evaluate(parseSave(text, family), packet);
					const less = evaluate(parseSave(withSources(text, sources), family), packet);
					expect({verdict: less.verdict, rule: less.by?.rule}).toEqual({verdict, rule: by?.rule});
				}
			}),
			{numRuns: 1000},
		);
	});
});

describe('what rules decide by', () => {
	it.each([
		['-A INPUT -m time --timestart 08:00:00 -j ACCEPT', 'the time'],
		['-A INPUT -m statistic --mode random --probability 0.5 -j DROP', 'chance'],
		['-A INPUT -m socket -j ACCEPT', 'sockets'],
		['\t\tlimit name "x" accept', 'how much came before'],
		['\t\ttcp dport 22 queue to 0', 'another program'],
		['-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT', 'link-layer addresses'],
		['\t\t@th,16,16 22 accept', 'the bytes of a packet'],
	])('%s', (line, what) => {
		expect(peculiaritiesOf([line])).toEqual([what]);
	});

	it('is nothing peculiar otherwise', () => {
		expect(peculiaritiesOf(['-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'])).toEqual([]);
	});
});
