import {describe, expect, it} from 'vitest';
import {evaluate} from '../../source/ruleset/evaluate.ts';
import type {FamilyRules} from '../../source/ruleset/model.ts';
import type {Packet} from '../../source/ruleset/packet.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {FOREIGN_IPV4} from '../_helpers/samples/samples.ts';

const SSH: Packet = {
	family: 4,
	inInterface: 'eth0',
	source: '192.0.2.1',
	destination: '198.51.100.1',
	protocol: 'tcp',
	sourcePort: 50_000,
	destinationPort: 22,
	syn: true,
	state: 'NEW',
};

/** Rules of INPUT with policy DROP, as a save has them; chains of more than INPUT by their name before a colon. */
function input(...lines: readonly string[]): FamilyRules {
	const chains = [...new Set(lines.flatMap((line) => /^(\w+): /.exec(line)?.[1] ?? []))];
	return parseSave(
		[
			'*filter',
			':INPUT DROP [0:0]',
			...chains.map((name) => `:${name} - [0:0]`),
			...lines.map((line) => `-A ${line.replace(/^(?!\w+: )/, 'INPUT ').replace(': ', ' ')}`),
			'COMMIT',
			'',
		].join('\n'),
		4,
	);
}

/** The verdict, and where it was found. */
function decide(rules: FamilyRules, change: Partial<Packet> = {}): string {
	const {verdict, by} = evaluate(rules, {...SSH, ...change});
	return by === undefined ? `${verdict} by policy` : `${verdict} by ${by.chain} ${by.index}`;
}

const withoutDestination = ({destination: _, ...packet}: Packet): Packet => packet;

describe('evaluate', () => {
	it('takes the first rule that matches', () => {
		const rules = input('-p tcp -m tcp --dport 80 -j DROP', '-p tcp -j ACCEPT', '-j REJECT');
		expect(decide(rules)).toBe('ACCEPT by INPUT 2');
		expect(decide(rules, {destinationPort: 80})).toBe('DROP by INPUT 1');
		expect(decide(rules, {protocol: 'udp'})).toBe('REJECT by INPUT 3');
	});

	it('takes the policy where no rule matches, or there are none', () => {
		expect(decide(input('-p udp -j ACCEPT'))).toBe('DROP by policy');
		expect(decide(parseSave('*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n', 4))).toBe('ACCEPT by policy');
		expect(decide({family: 4, tables: []})).toBe('ACCEPT by policy');
		expect(decide(parseSave('*raw\n:INPUT DROP [0:0]\nCOMMIT\n', 4))).toBe('ACCEPT by policy');
	});

	it.each<[string, Partial<Packet>, boolean]>([
		['-s 192.0.2.0/24', {}, true],
		['-s 192.0.2.0/24', {source: '192.0.3.1'}, false],
		['-d 198.51.100.1/32', {}, true],
		['-d 198.51.100.2/32', {}, false],
		['-i eth0', {}, true],
		['-i eth', {}, false],
		['-i eth0', {inInterface: 'eth01'}, false],
		['-p tcp', {}, true],
		['-p tcp', {protocol: 'udp'}, false],
		['-p icmp', {protocol: 'ipv6-icmp'}, false],
		['-p tcp -m tcp --sport 50000', {}, true],
		['-p tcp -m tcp --sport 49999', {}, false],
		['-p tcp -m tcp --dport 1:22', {}, true],
		['-p tcp -m tcp --dport 22:23', {}, true],
		['-p tcp -m tcp --dport 23:65535', {}, false],
		['-p tcp -m multiport --dports 21,80:90', {destinationPort: 85}, true],
		['-p tcp -m multiport --dports 21,80:90', {}, false],
		['-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN', {}, true],
		['-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN', {syn: false}, false],
		['-m conntrack --ctstate NEW,RELATED', {}, true],
		['-m conntrack --ctstate RELATED,ESTABLISHED', {}, false],
		['-m conntrack --ctstate UNTRACKED', {state: 'UNTRACKED'}, true],
		['-m limit --limit 1/hour', {}, true],
	])('lets %s match %j: %s', (match, change, matched) => {
		expect(decide(input(`${match} -j ACCEPT`), change)).toBe(
			matched ? 'ACCEPT by INPUT 1' : 'DROP by policy',
		);
	});

	it('wants a port of what has none', () => {
		const {destinationPort: _, sourcePort: __, syn: ___, ...icmp} = SSH;
		const rules = input('-m multiport --dports 0:65535 -j ACCEPT');
		expect(evaluate(rules, {...icmp, protocol: 'icmp'}).verdict).toBe('DROP');
	});

	it('goes through chains and comes back', () => {
		const rules = input(
			'-p tcp -j one',
			'-j ACCEPT',
			'one: -s 10.0.0.0/8 -j DROP',
			'one: -j two',
			'one: -m tcp --dport 80 -j REJECT',
			'two: -m tcp --dport 23 -j DROP',
			'two: -m tcp --dport 22 -j RETURN',
			'two: -j ACCEPT',
		);
		expect(decide(rules)).toBe('ACCEPT by INPUT 2');
		expect(decide(rules, {source: '10.1.1.1'})).toBe('DROP by one 1');
		expect(decide(rules, {destinationPort: 23})).toBe('DROP by two 1');
		expect(decide(rules, {destinationPort: 80})).toBe('ACCEPT by two 3');
	});

	it('goes on after RETURN in the chain before, and to the policy from INPUT', () => {
		const rules = input('-j one', '-j REJECT', 'one: -j RETURN', 'one: -j ACCEPT');
		expect(decide(rules)).toBe('REJECT by INPUT 2');
		expect(decide(input('-p tcp -j RETURN', '-j ACCEPT'))).toBe('DROP by policy');
	});

	it('visits a chain as often as it is called, and ends also in a circle', () => {
		expect(decide(input('-j one', '-j one', '-j ACCEPT', 'one: -p udp -j DROP'))).toBe(
			'ACCEPT by INPUT 3',
		);
		expect(decide(input('-j one', 'one: -j two', 'two: -j one', 'two: -j INPUT'))).toBe(
			'DROP by policy',
		);
	});

	it.each([
		'-j LOG',
		'-j LOG --log-prefix "x "',
		'-j MARK --set-xmark 0x1/0xff',
		'-p tcp',
		'-j NFLOG --nflog-group 1',
		'-m set --match-set bad src -j LOG --log-prefix x',
	])('goes on after "%s"', (line) => {
		expect(decide(input(line, '-j ACCEPT'))).toBe('ACCEPT by INPUT 2');
	});

	it.each([
		'-m set --match-set bad src -j DROP',
		'! -s 10.0.0.0/8 -j DROP',
		'-m conntrack --ctstate DNAT -j ACCEPT',
		'-m conntrack --ctorigdstport 22 -j ACCEPT',
		'-j NFQUEUE --queue-num 0',
		'-j TARPIT',
		'-m set --match-set bad src -j RETURN',
		'-m set --match-set bad src -j one',
		'-g one',
	])('does not guess what "%s" does', (line) => {
		expect(decide(input(line, '-j ACCEPT', 'one: -j DROP'))).toBe('unknown by INPUT 1');
	});

	it('takes a plus at the end of an interface as any rest, and no packet to this machine as going out', () => {
		expect(decide(input('-i eth+ -j DROP', '-j ACCEPT'))).toBe('DROP by INPUT 1');
		expect(decide(input('-i wg+ -j DROP', '-o eth0 -j DROP', '-j ACCEPT'))).toBe(
			'ACCEPT by INPUT 3',
		);
	});

	it('need not guess where the part that is known does not match', () => {
		const rules = input('-p udp -m set --match-set bad src -j DROP', '-j ACCEPT');
		expect(decide(rules)).toBe('ACCEPT by INPUT 2');
	});

	it('does not know which of its addresses a packet without destination goes to', () => {
		const to = (match: string) =>
			evaluate(input(`${match} -j ACCEPT`), withoutDestination(SSH)).verdict;
		expect(to('-d 198.51.100.1/32')).toBe('unknown');
		expect(to('-d 198.51.100.1/32 -p udp')).toBe('DROP');
		expect(to('-d 224.0.0.251/32')).toBe('DROP');
		expect(to('-d 224.0.0.0/4')).toBe('DROP');
		expect(to('-p tcp')).toBe('ACCEPT');
	});

	it('judges the rules of fail2ban right', () => {
		const rules = parseSave(FOREIGN_IPV4, 4);
		expect(decide(rules, {source: '192.0.2.66'})).toBe('REJECT by f2b-sshd 1');
		expect(decide(rules, {source: '10.0.3.3'})).toBe('ACCEPT by INPUT 5');
		expect(decide(rules, {source: '10.0.3.3', destinationPort: 3306})).toBe('unknown by INPUT 3');
	});
});
