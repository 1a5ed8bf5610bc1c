import {describe, expect, test} from 'vitest';
import {readNmap} from '../../source/proof/nmap/read-scan.ts';

const scan = (address: string, port = '22', head = '') =>
	`${head}<nmaprun><host><address addr="${address}" addrtype="ipv4"/><ports><port protocol="tcp" portid="${port}"><state state="open"/></port></ports></host></nmaprun>`;

const rest = (extraports: string, services = '1-10') =>
	`<nmaprun><scaninfo type="syn" protocol="tcp" services="${services}"/><host><address addr="192.0.2.1" addrtype="ipv4"/><ports>${extraports}</ports></host></nmaprun>`;

const extra = (ports: string, state = 'filtered', proto = 'tcp') =>
	`<extraports state="${state}" count="3"><extrareasons reason="no-response" count="3" proto="${proto}" ports="${ports}"/></extraports>`;

const resultsOf = (xml: string) => readNmap(xml)[0]?.results;

describe('a scan that somebody else has written', () => {
	test('says nothing to the terminal', () => {
		const [found] = readNmap(scan('\u001B[2J192.0.2.1'));
		expect(found?.address).not.toContain('\u001B');
		expect(found?.address.length).toBeLessThanOrEqual(45);
	});

	test.each(['65536', '99999', '-1', '2.5', '', 'x'])('has no port %j', (port) => {
		expect(resultsOf(scan('192.0.2.1', port))).toEqual([]);
	});

	test('keeps the first and the last port', () => {
		const ports = ['0', '65535'].map((port) => resultsOf(scan('192.0.2.1', port))?.[0]?.ports);
		expect(ports).toEqual([[{first: 0, last: 0}], [{first: 65_535, last: 65_535}]]);
	});

	test('expands no entity', () => {
		const grows =
			'<!DOCTYPE n [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>';
		const reads = '<!DOCTYPE n [<!ENTITY b SYSTEM "file:///etc/hostname">]>';
		expect(readNmap(scan('&b;', '22', grows))[0]?.address).toBe('&b;');
		expect(() => readNmap(scan('&b;', '22', reads))).toThrow('This is not the XML output of nmap');
	});

	test.each([
		['cut off', scan('192.0.2.1').slice(0, 120)],
		['deep', `<nmaprun>${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}</nmaprun>`],
		['empty', ''],
	])('is refused in one line where it is %s', (_, text) => {
		expect(() => readNmap(text)).toThrow('This is not the XML output of nmap');
	});

	test.each([
		['', []],
		['5-1', []],
		['1-65536', []],
		['1-99999999999999999999', []],
		['-5', []],
		['22;rm', []],
		['\u001B[2J', []],
		[
			'7,x,9-11,8-',
			[
				{first: 7, last: 7},
				{first: 9, last: 11},
			],
		],
		['1-20,5-30,10', [{first: 1, last: 30}]],
	])('lists only ports where it leaves out %j', (ports, expected) => {
		// Without a port in the list, it is that of an old nmap: the scanned ones are meant.
		const scanned = ports === '' ? [{first: 1, last: 10}] : expected;
		expect(resultsOf(rest(extra(ports)))?.[0]?.ports ?? []).toEqual(scanned);
	});

	test.each(['__proto__', 'constructor', '', 'OPEN', 'open|closed'])('has no state %j', (state) => {
		expect(resultsOf(rest(extra('1-9', state)))).toEqual([]);
	});

	test.each(['sctp', 'ip', '__proto__', ''])('has no protocol %j', (protocol) => {
		expect(resultsOf(rest(extra('1-9', 'filtered', protocol), ''))).toEqual([]);
	});

	test('a port has one state, the one that is listed', () => {
		const twice = `${extra('20-25')}<port protocol="tcp" portid="22"><state state="open"/></port>`;
		expect(resultsOf(rest(twice))).toEqual([
			{protocol: 'tcp', state: 'open', ports: [{first: 22, last: 22}]},
			{
				protocol: 'tcp',
				state: 'filtered',
				ports: [
					{first: 20, last: 21},
					{first: 23, last: 25},
				],
			},
		]);
	});

	test('is read, however many ranges it has', () => {
		const every = Array.from({length: 32_768}, (_, index) => index * 2);
		const text = rest(extra(every.join(',')).repeat(20), every.join(','));
		expect(resultsOf(text)?.[0]?.ports).toHaveLength(32_768);
	});

	test('counts no more ports than a number of six digits says', () => {
		const counts = ['3', '-3', '1e9', '9999999', ''].map(
			(count) => readNmap(rest(`<extraports state="filtered" count="${count}"/>`, ''))[0]?.unnamed,
		);
		expect(counts).toEqual([3, 0, 0, 0, 0]);
	});
});
