import {describe, expect, it} from 'vitest';
import {protocolNamed, protocolNumbered, SCTP} from '../../source/policy/ip-protocols.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {
	describeUnopened,
	findUnopened,
	openingForUse,
	opensUse,
	type ProtocolUse,
} from '../../source/services/protocol-use.ts';

function use(name: string, more: Partial<ProtocolUse> = {}): ProtocolUse {
	const protocol = protocolNamed(name) ?? protocolNumbered(Number(name));
	return {protocol, families: protocol.families, by: 'keepalived', how: 'raw socket', ...more};
}

const M3UA: ProtocolUse = {
	...use('sctp', {by: 'm3ua', how: 'SCTP socket', port: 2905}),
	protocol: protocolNumbered(SCTP),
};
const read = (text: string) => parseOpening(text, new Map());

describe('a protocol without ports that something receives', () => {
	it.each<[string, ProtocolUse, boolean]>([
		['vrrp', use('vrrp'), true],
		['vrrp from 10.0.0.0/8 on eth0', use('vrrp'), true],
		['vrrp from fd00::/8', use('vrrp', {families: [4]}), false],
		['esp', use('vrrp'), false],
		['protocol 41', use('6in4'), true],
		['6in4', use('41', {families: [6]}), false],
		['gre from 203.0.113.9', use('gre', {peer: '203.0.113.9'}), true],
		['gre from 203.0.113.8', use('gre', {peer: '203.0.113.9'}), false],
		['mdns', use('igmp'), true],
		['mdns', use('vrrp'), false],
		['2905/sctp', M3UA, true],
		['2900-2910/sctp', M3UA, true],
		['2906/sctp', M3UA, false],
		['sctp', M3UA, true],
		['2905', M3UA, false],
	])('is opened by "%s", or not', (text, one, opened) => {
		expect(read(text).some((opening) => opensUse(opening, one))).toBe(opened);
		expect(findUnopened([one], read(text))).toEqual(opened ? [] : [one]);
	});

	it('has an opening that lets it in', () => {
		for (const one of [use('esp'), use('6in4'), use('103'), M3UA]) {
			expect(opensUse(openingForUse(one), one)).toBe(true);
		}

		expect(printOpening(openingForUse(M3UA))).toBe('2905/sctp');
	});

	it('is named with its program and the words that open it, one sentence for each program', () => {
		expect(
			describeUnopened([
				use('vrrp'),
				use('esp', {by: 'IPsec', how: 'IPsec'}),
				use('ah'),
				use('vrrp', {families: [6]}),
				use('103', {by: 'pimd'}),
				M3UA,
			]),
		).toEqual([
			'keepalived receives VRRP, AH, which are not open. To open: vrrp, ah',
			'IPsec receives ESP, which is not open. To open: esp',
			'pimd receives IP protocol 103, which is not open. To open: protocol 103',
			'm3ua receives 2905/sctp, which is not open. To open: 2905/sctp',
		]);
	});
});
