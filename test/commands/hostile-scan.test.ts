import {describe, expect, test} from 'vitest';
import {readNmap} from '../../source/proof/nmap.ts';

const scan = (address: string, port = '22', head = '') =>
	`${head}<nmaprun><host><address addr="${address}" addrtype="ipv4"/><ports><port protocol="tcp" portid="${port}"><state state="open"/></port></ports></host></nmaprun>`;

describe('a scan that somebody else has written', () => {
	test('says nothing to the terminal', () => {
		const [found] = readNmap(scan('\u001B[2J192.0.2.1'));
		expect(found?.address).not.toContain('\u001B');
		expect(found?.address.length).toBeLessThanOrEqual(45);
	});

	test.each(['65536', '99999', '-1', '2.5', '', 'x'])('has no port %j', (port) => {
		expect(readNmap(scan('192.0.2.1', port))[0]?.ports).toEqual([]);
	});

	test('keeps the first and the last port', () => {
		const ports = ['0', '65535'].map(
			(port) => readNmap(scan('192.0.2.1', port))[0]?.ports[0]?.port,
		);
		expect(ports).toEqual([0, 65_535]);
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
});
