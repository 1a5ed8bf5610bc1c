import {describe, expect, it} from 'vitest';
import {natOfIptables} from '../../source/existing/nat/parse-iptables.ts';
import {describeBlockedRedirects, findRedirects} from '../../source/existing/nat/redirects.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';

/** What is said of rules of nat beside some openings. */
function said(rules: readonly string[], openings = '22/tcp'): readonly string[] {
	const text = `*nat\n:PREROUTING ACCEPT [0:0]\n:mine - [0:0]\n${rules.join('\n')}\nCOMMIT\n`;
	const table = natOfIptables(parseSave(text, 4));
	return table === undefined
		? []
		: describeBlockedRedirects(
				findRedirects(table, ['198.51.100.1']),
				parseOpenings(openings, new Map()),
			);
}

const AGENT =
	'-A PREROUTING -d 169.254.170.2/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:51679';
const PROXY = '-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128';

describe('what rules of nat send to a port of this machine', () => {
	it.each([
		[
			[AGENT],
			'80/tcp of 169.254.170.2 is sent to 51679/tcp of this machine by a rule of nat, and that is not open. To open: 51679/tcp',
		],
		[
			[PROXY],
			'80/tcp on eth1 is sent to 3128/tcp of this machine by a rule of nat, and that is not open. To open: 3128/tcp on eth1',
		],
		[
			[
				'-A PREROUTING -i br0 -j mine',
				'-A mine -p udp -m udp --dport 53 -j DNAT --to-destination 198.51.100.1:5353',
			],
			'53/udp on br0 is sent to 5353/udp of this machine by a rule of nat, and that is not open. To open: 5353/udp on br0',
		],
	])('is named where that port is not open: %j', (rules, sentence) => {
		expect(said(rules)).toEqual([sentence]);
	});

	it('is not named where it is open, or where the port that it was sent to is', () => {
		expect(said([PROXY], '3128/tcp on eth1')).toEqual([]);
		expect(said([PROXY], '3128')).toEqual([]);
		expect(said([PROXY], '3128/tcp on eth0')).toHaveLength(1);
		expect(said([PROXY], '80/tcp')).toEqual([]);
	});

	it('is not what is forwarded to others, or goes to the same port', () => {
		expect(said(['-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:80'])).toEqual(
			[],
		);
		expect(said(['-A PREROUTING -p tcp --dport 80 -j REDIRECT'])).toEqual([]);
	});
});
