import {describe, expect, it} from 'vitest';
import {referencesIn, sourcesInRules} from '../../source/exposure/sources-in-rules.ts';
import {pickStranger} from '../../source/proof/sample-addresses.ts';

const spell = (text: string) =>
	sourcesInRules([text]).map(({network, on}) => (on ? `${network.cidr} on ${on}` : network.cidr));

describe('where something is let in from', () => {
	it.each([
		['-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT', ['10.0.0.0/8']],
		['-A INPUT -s 10.0.0.0/8 -i eth1 -j ACCEPT', ['10.0.0.0/8 on eth1']],
		['-A DOCKER-USER -s 192.0.2.7/32 -j RETURN', ['192.0.2.7/32']],
		['-A INPUT ! -s 10.0.0.0/8 -j DROP', ['10.0.0.0/8']],
		['-A PREROUTING -s fd00::/8 -p tcp -j DNAT --to-destination [fd01::1]:80', ['fd00::/8']],
		['\t\tip saddr 10.0.0.0/8 tcp dport 22 accept', ['10.0.0.0/8']],
		['\t\tiifname "wg0" ip6 saddr fd00::/8 accept', ['fd00::/8 on wg0']],
		['\t\tip saddr { 10.0.0.0/8, 192.0.2.7 } accept', ['10.0.0.0/8', '192.0.2.7/32']],
		['\t\tip saddr != 10.0.0.0/8 drop', ['10.0.0.0/8']],
		[
			'\tset friends {\n\t\ttype ipv4_addr\n\t\telements = { 192.0.2.1,\n\t\t\t192.0.2.2 }\n\t}\n\tchain a {\n\t\tip saddr @friends accept\n\t}',
			['192.0.2.1/32', '192.0.2.2/32'],
		],
		[
			'create f hash:net\nadd f 10.9.0.0/16\n-A INPUT -m set --match-set f src -j ACCEPT',
			['10.9.0.0/16'],
		],
		['-A INPUT -m set ! --match-set f src -j DROP\nadd f 10.9.0.0/16', ['10.9.0.0/16']],
	])('%j', (text, ruleSources) => {
		expect(spell(text)).toEqual(ruleSources);
	});

	it.each([
		'-A INPUT -s 10.0.0.0/8 -j DROP',
		'-A INPUT ! -s 10.0.0.0/8 -j ACCEPT',
		'-A INPUT -s 0.0.0.0/0 -j ACCEPT',
		'-A OUTPUT -s 10.0.0.0/8 -j ACCEPT',
		'-A INPUT -s 10.0.0.0/8 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
		'\t\tip saddr 10.0.0.0/8 drop',
	])('not by %j', (text) => {
		expect(spell(text)).toEqual([]);
	});
});

describe('somebody of whom no rule speaks', () => {
	it('is nobody that exists, where that can be', () => {
		expect(pickStranger(4, referencesIn([]))).toBe('203.0.113.77');
		expect(pickStranger(6, referencesIn(['-A INPUT -s ::/0 -j DROP']))).toBe('2001:db8:77::77');
	});

	it('is not of a network that is closed out because nobody has it', () => {
		const bogons = `\t\tip saddr { 0.0.0.0/8, 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 } drop
\t\tip6 saddr { 2001:db8::/32, 3fff::-3fff:fff::ffff } drop`;
		const [four, six] = [
			pickStranger(4, referencesIn([bogons])),
			pickStranger(6, referencesIn([bogons])),
		];
		expect(four).toMatch(/\.77\.7$/);
		expect(six).toMatch(/^2\w+:\w+::77$/);
	});

	it('is nobody where all are spoken of', () => {
		const halves = referencesIn([
			'-A INPUT -s 0.0.0.0/1 -j DROP',
			'-A INPUT -s 128.0.0.0/1 -j DROP',
		]);
		expect(pickStranger(4, halves)).toBeUndefined();
		expect(pickStranger(4, referencesIn(['1.0.0.0-255.255.255.255']))).toBeUndefined();
	});
});
