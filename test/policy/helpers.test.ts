import {describe, expect, it} from 'vitest';
import {groupBy} from '../../source/lib/group-by.ts';
import {HELPER_NAMES, HELPERS, type HelperName, helperOf} from '../../source/policy/helpers.ts';

describe('the table of helpers', () => {
	it('has one entry a name, in the order of the names', () => {
		expect(HELPERS.map(({name}) => name)).toEqual(HELPER_NAMES);
	});

	it.each(HELPERS)('is complete for $name', (helper) => {
		expect(helperOf(helper.name)).toBe(helper);
		expect(helper.module).toBe(`nf_conntrack_${helper.name.replaceAll('-', '_')}`);
		expect(helper.client || helper.server).toBe(true);
		expect(helper.families).toContain(4);
		for (const text of [helper.purpose, helper.cost]) {
			expect(text).toMatch(/^[A-Z].{10,88}[^.]$/);
		}
	});

	it('has the ports, names and families that the kernel modules register', () => {
		const lines = HELPERS.map(({name, ports, families}) => {
			const rules = ports.map(({helper, protocol, port}) => `${helper} ${port}/${protocol}`);
			return `${name}: ${rules.join(', ')} IPv${families.join('+')}`;
		});
		expect(lines).toEqual([
			'ftp: ftp 21/tcp IPv4+6',
			'tftp: tftp 69/udp IPv4+6',
			'irc: irc 6667/tcp IPv4',
			'sip: sip 5060/udp, sip 5060/tcp IPv4+6',
			'pptp: pptp 1723/tcp IPv4',
			'h323: RAS 1719/udp, Q.931 1720/tcp IPv4+6',
			'amanda: amanda 10080/udp IPv4+6',
			'sane: sane 6566/tcp IPv4+6',
			'netbios-ns: netbios-ns 137/udp IPv4',
			'snmp: snmp 161/udp IPv4',
		]);
	});

	it('knows no other', () => {
		expect(() => helperOf('http' as HelperName)).toThrow(RangeError);
	});
});

describe('groupBy', () => {
	it('keeps the order of first appearance, and that within each group', () => {
		const words = ['b1', 'a1', '__proto__', 'b2', 'a2', 'constructor'];
		expect(groupBy(words, (word) => word[0] ?? '')).toEqual([
			['b1', 'b2'],
			['a1', 'a2'],
			['__proto__'],
			['constructor'],
		]);
		expect(groupBy([], String)).toEqual([]);
	});
});
