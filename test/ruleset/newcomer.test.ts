import {describe, expect, it} from 'vitest';
import {asForNewcomers, peculiaritiesOf} from '../../source/ruleset/newcomer.ts';

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
	])('come under no limit: %s', (rule, left) => {
		expect(asForNewcomers(`-A INPUT ${rule}`)).toBe(`-A INPUT ${left}`);
	});

	it.each([
		'-m hashlimit --hashlimit-above 6/min --hashlimit-name a -j DROP',
		'-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr -j REJECT',
		'-m connlimit --connlimit-mask 32 --connlimit-above 5 -j REJECT',
		'-m recent --update --seconds 30 --hitcount 6 --name DEFAULT --rsource -j ufw-user-limit',
		'-m recent --rcheck --seconds 86400 --name scan --rsource -j DROP',
		'-p tcp -m tcp --dport 139 -j SET --add-set scanners src',
	])('lack those that shut out who comes again: %s', (rule) => {
		expect(asForNewcomers(`-A INPUT ${rule}\n-A INPUT -j ACCEPT`)).toBe('-A INPUT -j ACCEPT');
	});

	it('are so in the words of nftables too', () => {
		const chain = (...rules: readonly string[]) =>
			['table inet x {', '\tchain y {', ...rules.map((rule) => `\t\t${rule}`), '\t}', '}'].join(
				'\n',
			);
		expect(
			asForNewcomers(
				chain(
					'type filter hook input priority filter; policy drop;',
					'tcp dport 22 limit rate 6/minute burst 5 packets accept',
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
				'tcp dport 25 accept',
				'tcp dport 27 accept',
				'tcp dport 28',
			),
		);
	});

	it('leave alone what has no limit', () => {
		const text =
			'*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m multiport --dports 1,2 -j ACCEPT\n';
		expect(asForNewcomers(text)).toBe(text);
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
