import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {describe, expect, it} from 'vitest';
import {makeMask, maskAll} from '../../source/lib/mask.ts';

describe('a mask', () => {
	it.each([
		['198.51.100.7', 'ipv4-other-1'],
		['8.8.8.8/32 and 8.8.4.4', 'ipv4-public-1/32 and ipv4-public-2'],
		['10.0.0.3-10.0.0.5:1000', 'ipv4-private-1-ipv4-private-2:1000'],
		['2a01:4f8::2/64', 'ipv6-public-1/64'],
		['[fd00:d0c::2]:80', '[ipv6-private-1]:80'],
		['::ffff:8.8.8.8', 'ipv6-other-1'],
		['fe80::1%eth0', 'ipv6-link-local-1%eth0'],
		['ssh@3-8.8.8.8:22-9.9.9.9:4444.service', 'ssh@3-ipv4-public-1:22-ipv4-public-2:4444.service'],
	])('of %s', (text, masked) => {
		expect(makeMask()(text)).toBe(masked);
	});

	it.each([
		...['127.0.0.1/8', '::1/128', '0.0.0.0', '[::]:22', '224.0.0.251', 'ff02::fb'],
		...['12:34:56', '1.8.9', '300.1.2.3', 'a::b::c', 'nginx.service'],
	])('leaves %s as it is', (text) => {
		expect(makeMask()(text)).toBe(text);
	});

	it('calls one address the same everywhere, however it is spelled, and no two alike', () => {
		const mask = makeMask();
		const [first] = [mask('2a01:4f8::2')];
		expect(mask('2A01:04F8:0:0:0:0:0:2')).toBe(first);
		expect(mask('2a01:4f8::3')).not.toBe(first);
		expect(maskAll({a: ['8.8.8.8', {b: 'from 8.8.8.8'}], port: 53, none: undefined}, mask)).toEqual(
			{
				a: ['ipv4-public-1', {b: 'from ipv4-public-1'}],
				port: 53,
				none: undefined,
			},
		);
	});

	it('leaves no address in any text', () => {
		const address = fc.oneof(fc.ipV4(), fc.ipV6());
		const between = fc.constantFrom(' ', ', ', '-', '/24 ', '" "', ' to ', '](');
		fc.assert(
			fc.property(fc.array(fc.tuple(address, between), {maxLength: 6}), (parts) => {
				const masked = makeMask()(parts.flat().join(''));
				for (const [text] of parts) {
					const range = ipaddr.parse(text).range();
					const stays = ['loopback', 'multicast', 'unspecified', 'broadcast'].includes(range);
					expect(stays || !masked.split(/[^\da-f.:]+/i).includes(text)).toBe(true);
				}
			}),
		);
	});
});
