import {describe, expect, it} from 'vitest';
import {FAMILIES, type Family, parseNetwork} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {makeGroup} from '../../source/policy/sources.ts';
import {compilePolicy} from '../../source/ruleset/build.ts';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import {firstPacket} from '../../source/ruleset/evaluate-ports.ts';
import {printCommands, printRestore, printRule} from '../../source/ruleset/format-iptables.ts';
import {type FamilyRules, findChain, ownChains, type RuleSet} from '../../source/ruleset/model.ts';
import {rulesBySource} from '../../source/ruleset/rules-by-source.ts';

const OFFICE = makeGroup('office', ['192.0.2.0/24', '2001:db8::/32', '10.1.1.1'].map(parseNetwork));

const compile = (text: string) =>
	compilePolicy(completePolicy({openings: parseOpenings(text, new Map(), [OFFICE])}), {
		families: FAMILIES,
	});

function familyOf({families}: RuleSet, family: Family): FamilyRules {
	return families.find((one) => one.family === family) as FamilyRules;
}

/** The rules of openings alone: those of groups, then those of FW-WIZARD-INPUT, without that name. */
function opened(text: string, family: Family, of: 'ruleSet' | 'floor' = 'ruleSet') {
	const rules = familyOf(compile(text)[of], family);
	return ownChains(rules).flatMap(({name, table}) =>
		(findChain(rules, table, name)?.rules ?? [])
			.filter(({reason}) => reason?.part === 'opening')
			.map((rule) => `${name.slice('FW-WIZARD-'.length)} ${printRule(rule, family)}`),
	);
}

const CDN = '192.0.2.0/24, 2001:db8::/32, 198.51.100.0/24, 203.0.113.7, 2001:db9::/32';

describe('the sources of several ports', () => {
	it('lead to a chain with the rules of the ports, once each', () => {
		const text = `80/tcp from ${CDN}, 22/tcp, 443 from ${CDN}`;
		expect(opened(text, 4)).toEqual([
			'FROM-1 -p tcp -m multiport --dports 80,443 -j ACCEPT',
			'FROM-1 -p udp --dport 443 -j ACCEPT',
			'INPUT -p tcp --dport 22 -j ACCEPT',
			'INPUT -s 192.0.2.0/24 -j FW-WIZARD-FROM-1',
			'INPUT -s 198.51.100.0/24 -j FW-WIZARD-FROM-1',
			'INPUT -s 203.0.113.7 -j FW-WIZARD-FROM-1',
		]);
		// Two rules for each of two sources are as many as two jumps to two rules.
		expect(opened(text, 6)).toContain('INPUT -s 2001:db8::/32 -p udp --dport 443 -j ACCEPT');
	});

	it('are one group in whatever order they stand', () => {
		const [first, ...others] = CDN.split(', ');
		expect(opened(`80 from ${CDN}, 443 from ${[...others, first].join(', ')}`, 4)).toHaveLength(5);
	});

	it('keep interface, limit and protocol in the chain', () => {
		expect(
			opened(`22/tcp from ${CDN} on wg0, 25/tcp from ${CDN} limit, esp from ${CDN}`, 4).slice(0, 3),
		).toEqual([
			'FROM-1 -i wg0 -p tcp --dport 22 -j ACCEPT',
			'FROM-1 -p tcp --dport 25 -m hashlimit --hashlimit-upto 6/min --hashlimit-burst 6 --hashlimit-mode srcip --hashlimit-name fwt25 -j ACCEPT',
			'FROM-1 -p esp -j ACCEPT',
		]);
	});

	it.each([
		['one port', `443/tcp from ${CDN}`],
		['one rule', `80/tcp from ${CDN}, 443/tcp from ${CDN}`],
		['one source', '1/tcp from ::1, 2/tcp from ::1, 3/tcp from ::1, 4/tcp on eth0 from ::1'],
		['two ports of two sources', '443 from 192.0.2.1, 192.0.2.2'],
		['other sources each', '1/tcp from ::1, ::2, ::3, 2/tcp from ::1, ::2, 3/tcp from ::2, ::3'],
	])('have no chain where it makes no fewer rules: %s', (_, text) => {
		for (const family of FAMILIES) {
			expect(opened(text, family).join()).not.toContain('FROM');
		}
	});

	it('have chains with one number in both families, also where one needs none', () => {
		const text = `53 from 192.0.2.1, 192.0.2.2, 192.0.2.3, 123 from fd00::1, fd00::2, fd00::3, 192.0.2.9`;
		expect(opened(text, 4).filter((line) => line.startsWith('FROM'))).toEqual([
			'FROM-1 -p tcp --dport 53 -j ACCEPT',
			'FROM-1 -p udp --dport 53 -j ACCEPT',
		]);
		expect(opened(text, 4)).toContain('INPUT -s 192.0.2.9 -p udp --dport 123 -j ACCEPT');
		expect(opened(text, 6)).toContain('INPUT -s fd00::3 -j FW-WIZARD-FROM-2');
	});

	it('have chains in the floor by its own rules', () => {
		const text = `80/tcp from ${CDN}, 443/tcp from ${CDN}`;
		expect(opened(text, 4).join()).not.toContain('FROM');
		expect(opened(text, 4, 'floor').slice(0, 3)).toEqual([
			'FROM-1 -p tcp --dport 80 -j ACCEPT',
			'FROM-1 -p tcp --dport 443 -j ACCEPT',
			'INPUT -s 192.0.2.0/24 -j FW-WIZARD-FROM-1',
		]);
	});

	it('make n + m rules of n sources and m ports', () => {
		const sources = Array.from({length: 300}, (_, index) => `10.${index >> 8}.${index % 256}.0/24`);
		const ports = Array.from({length: 20}, (_, index) => `${(index + 1) * 100}/tcp limit`);
		const from = sources.filter((_, index) => index % 2 === 0).join(', ');
		const text = ports.map((port) => port.replace(' ', ` from ${from} `)).join(', ');
		expect(opened(text, 4)).toHaveLength(150 + 20);
	});

	it('return for ports that another opening opens to them', () => {
		const text = `80 from ${CDN}, 25 from 192.0.2.9, 192.0.2.0/28, 10.0.0.1, 10.0.0.2, 22/tcp`;
		const rules = familyOf(compile(text).ruleSet, 4);
		const decide = (source: string, port: number) => {
			const packet = firstPacket({family: 4, inInterface: 'eth0', source}, 'tcp', port);
			const {verdict, by} = evaluate(rules, packet);
			return `${verdict} ${by?.chain.slice('FW-WIZARD-'.length)} ${by?.index}`;
		};
		expect(decide('192.0.2.9', 80)).toBe('ACCEPT FROM-1 1');
		expect(decide('192.0.2.9', 25)).toBe('ACCEPT FROM-2 1');
		expect(decide('192.0.2.9', 22)).toBe('ACCEPT INPUT 6');
		expect(decide('192.0.2.99', 25)).toMatch(/^REJECT INPUT/);
		expect(decide('198.18.0.1', 80)).toMatch(/^REJECT INPUT/);
	});

	it('are indexed without the chains that they do not get to', () => {
		const rules = familyOf(
			compile(`80 from ${CDN}, 25 from 10.0.0.1, 10.0.0.2, 10.0.0.3`).ruleSet,
			4,
		);
		const rulesOf = rulesBySource(rules);
		const chains = (source: string) =>
			ownChains(rules).filter(
				({table, name}) => (findChain(rulesOf(source).rules, table, name)?.rules.length ?? 0) > 0,
			);
		expect(chains('10.0.0.2').map(({name}) => name)).toEqual([
			'FW-WIZARD-FROM-2',
			'FW-WIZARD-INPUT',
		]);
		expect(chains('10.0.0.9').map(({name}) => name)).toEqual(['FW-WIZARD-INPUT']);
		expect(rulesOf('10.0.0.1').key).toBe(rulesOf('10.0.0.3').key);
		expect(rulesOf('10.0.0.1').key).not.toBe(rulesOf('192.0.2.1').key);
	});
});

describe('what is loaded', () => {
	const rules = familyOf(compile(`80 from ${CDN}`).ruleSet, 4);

	it('removes the groups of earlier rules last', () => {
		const chains = ['FW-WIZARD-INPUT', ...[1, 2, 12].map((number) => `FW-WIZARD-FROM-${number}`)];
		const text = printRestore(rules, {
			chains: new Set(chains),
			jumps: new Map([['FW-WIZARD-INPUT', 1]]),
		});
		const lines = text.split('\n');
		expect(lines.slice(1, 4)).toEqual([
			':FW-WIZARD-FROM-1 - [0:0]',
			'-A FW-WIZARD-FROM-1 -p tcp --dport 80 -j ACCEPT',
			'-A FW-WIZARD-FROM-1 -p udp --dport 80 -j ACCEPT',
		]);
		expect(lines.slice(-7)).toEqual([
			'-A FW-WIZARD-INPUT -j REJECT',
			...['-F FW-WIZARD-FROM-2', '-X FW-WIZARD-FROM-2'],
			...['-F FW-WIZARD-FROM-12', '-X FW-WIZARD-FROM-12', 'COMMIT', ''],
		]);
	});

	it('can be typed as well', () => {
		expect(printCommands(rules).slice(0, 3)).toEqual([
			'iptables -t filter -N FW-WIZARD-FROM-1',
			'iptables -t filter -A FW-WIZARD-FROM-1 -p tcp --dport 80 -j ACCEPT',
			'iptables -t filter -A FW-WIZARD-FROM-1 -p udp --dport 80 -j ACCEPT',
		]);
	});
});

describe('a named group', () => {
	it('has a chain of its name in each family, also for one port, beside the other sources', () => {
		const text = '80/tcp from @office, 10.0.0.0/8, 443/tcp from @office, 22/tcp';
		expect(opened(text, 4)).toEqual([
			'FROM-office -p tcp -m multiport --dports 80,443 -j ACCEPT',
			'INPUT -s 10.0.0.0/8 -p tcp --dport 80 -j ACCEPT',
			'INPUT -p tcp --dport 22 -j ACCEPT',
			'INPUT -s 192.0.2.0/24 -j FW-WIZARD-FROM-office',
			'INPUT -s 10.1.1.1 -j FW-WIZARD-FROM-office',
		]);
		expect(opened('80/tcp from @office', 6)).toEqual([
			'FROM-office -p tcp --dport 80 -j ACCEPT',
			'INPUT -s 2001:db8::/32 -j FW-WIZARD-FROM-office',
		]);
		expect(opened(text, 4, 'floor').at(-1)).toBe('INPUT -s 10.1.1.1 -j FW-WIZARD-FROM-office');
	});

	it('has no chain in a family of which nothing is open to it', () => {
		expect(opened('6in4 from @office', 6)).toEqual([]);
		expect(opened('6in4 from @office', 4)[0]).toBe('FROM-office -p 41 -j ACCEPT');
	});

	it('comes behind numbered lists', () => {
		const text = `80 from ${CDN}, 22 from ${CDN}, 443/tcp from @office`;
		const names = ownChains(familyOf(compile(text).ruleSet, 4)).map(({name}) => name);
		expect(names.slice(0, 2)).toEqual(['FW-WIZARD-FROM-1', 'FW-WIZARD-FROM-office']);
	});
});
