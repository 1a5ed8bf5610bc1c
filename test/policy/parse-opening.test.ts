import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {printPorts} from '../../source/lib/port-ranges.ts';
import {protocolNamed} from '../../source/policy/ip-protocols.ts';
import {type Opening, printOpening} from '../../source/policy/opening.ts';
import {parseOpening, parseOpenings} from '../../source/policy/parse-opening.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';
import {openings} from '../_helpers/samples/arbitraries.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

const NONE = new Map();
const port = (number: number, rest: object = {}) => ({
	kind: 'port',
	protocol: 'tcp',
	first: number,
	last: number,
	limit: false,
	...rest,
});

const whole = (name: string, rest: object = {}) => ({
	kind: 'protocol',
	protocol: protocolNamed(name),
	...rest,
});

describe('parseOpening', () => {
	it.each<[string, object]>([
		['22/tcp', port(22)],
		['53/udp', port(53, {protocol: 'udp'})],
		['53', port(53, {protocol: 'both'})],
		['0022/TCP', port(22)],
		['1/tcp', port(1)],
		['65535/tcp', port(65_535)],
		['8000-8010/tcp', port(8000, {last: 8010})],
		['1-65535', port(1, {last: 65_535, protocol: 'both'})],
		['8000-8000/tcp', port(8000)],
		['ssh', port(22)],
		['SSH/tcp', port(22)],
		['dns', port(53, {protocol: 'both'})],
		['dns/udp', port(53, {protocol: 'udp'})],
		['22/tcp from 10.1.2.3/8', port(22, {from: [{family: 4, cidr: '10.0.0.0/8'}]})],
		['22/tcp from 10.1.2.3', port(22, {from: [{family: 4, cidr: '10.1.2.3/32'}]})],
		['22/tcp FROM 2001:DB8::/32', port(22, {from: [{family: 6, cidr: '2001:db8::/32'}]})],
		['5432/tcp on wg0', port(5432, {on: 'wg0'})],
		['5432/tcp on br-+', port(5432, {on: 'br-+'})],
		['5432/tcp on Br_1.20@x-', port(5432, {on: 'Br_1.20@x-'})],
		['22/tcp on limit limit', port(22, {on: 'limit', limit: true})],
		['22/tcp on from from ::1', port(22, {on: 'from', from: [{family: 6, cidr: '::1/128'}]})],
		['  22/tcp\t limit ', port(22, {limit: true})],
		[
			'22/tcp limit on a from ::/0',
			port(22, {limit: true, on: 'a', from: [{family: 6, cidr: '::/0'}]}),
		],
		['mdns', {kind: 'mdns'}],
		['MDNS on eth0', {kind: 'mdns', on: 'eth0'}],
		['SSDP on eth0', {kind: 'ssdp', on: 'eth0'}],
		['upnp', {kind: 'ssdp'}],
		['8000:8010/tcp', port(8000, {last: 8010})],
		['2905/sctp', port(2905, {protocol: 'sctp'})],
		['mosh', port(60_000, {last: 61_000, protocol: 'udp'})],
		['ESP', whole('esp')],
		['protocol 50', whole('esp')],
		['Protocol 112 on eth0', whole('vrrp', {on: 'eth0'})],
		['vrrp from 10.0.0.0/8', whole('vrrp', {from: [{family: 4, cidr: '10.0.0.0/8'}]})],
		[
			'gre from fd00::/8 on eth0',
			whole('gre', {from: [{family: 6, cidr: 'fd00::/8'}], on: 'eth0'}),
		],
		['protocol 51', whole('ah')],
		[
			'22/tcp from 10.1.2.3/8,2001:db8::/32 , 203.0.113.7 on eth0 limit',
			port(22, {
				from: [
					{family: 4, cidr: '10.0.0.0/8'},
					{family: 6, cidr: '2001:db8::/32'},
					{family: 4, cidr: '203.0.113.7/32'},
				],
				...{on: 'eth0', limit: true},
			}),
		],
	])('reads "%s"', (text, opening) => {
		expect(parseOpening(text, OWN_SERVICES)).toEqual([opening]);
	});

	it('gives an opening for each port of a name whose TCP and UDP ports differ', () => {
		const services = new Map([
			[
				'odd',
				[
					{protocol: 'tcp', port: 1},
					{protocol: 'udp', port: 2},
					{protocol: 'udp', port: 1},
				] as const,
			],
		]);
		expect(parseOpening('odd on lo limit', services).map(printOpening)).toEqual([
			'1 on lo limit',
			'2/udp on lo limit',
		]);
	});

	it.each<[string, readonly string[]]>([
		['80 443', ['80', '443']],
		['80/tcp  443/tcp\t8000-8010/udp', ['80/tcp', '443/tcp', '8000-8010/udp']],
		['http https', ['80/tcp', '443']],
		['esp 500/udp 4500/udp', ['esp', '500/udp', '4500/udp']],
		[
			'80 443 from 10.0.0.0/8 on eth0',
			['80 from 10.0.0.0/8 on eth0', '443 from 10.0.0.0/8 on eth0'],
		],
		['22 on ssh', ['22 on ssh']],
	])('reads "%s" as several, all from the same sources', (text, openings) => {
		expect(parseOpening(text, OWN_SERVICES).map(printOpening)).toEqual(openings);
	});

	it('opens over IPv4 what is a part of it, and in both families what has a number in both', () => {
		const families = (text: string) =>
			parseOpening(text, NONE).map((opening) =>
				opening.kind === 'protocol' ? opening.protocol.families.join() : '',
			);
		expect(['6in4', 'ipip', 'ah', 'igmp'].flatMap(families)).toEqual(['4', '4', '4', '4']);
		expect(['protocol 41', 'protocol 4', 'esp', 'ospf'].flatMap(families)).toEqual(
			Array.from({length: 4}, () => '4,6'),
		);
		// Rules over IPv6 see what comes after these.
		expect(['protocol 43', 'protocol 60'].flatMap(families)).toEqual(['4', '4']);
	});

	it('reads back every opening that is printed', () => {
		fc.assert(
			fc.property(openings(), (opening) => {
				expect(parseOpening(printOpening(opening), NONE)).toEqual([opening]);
			}),
			{numRuns: 2000},
		);
	});

	it('prints one text for whatever spelling was read', () => {
		fc.assert(
			fc.property(openings(), fc.boolean(), (opening, shout) => {
				const [subject = '', ...rest] = printOpening(opening).split(' ');
				const spelt = [`\t${shout ? subject.toUpperCase() : subject}`, ...rest].join(' \t ');
				expect(parseOpening(spelt, NONE).map(printOpening)).toEqual([printOpening(opening)]);
			}),
		);
	});
});

describe('printOpening', () => {
	it.each([
		'22/tcp',
		'53',
		'8000-8010/udp',
		'22/tcp from 10.0.0.1',
		'22/tcp from 0.0.0.0/0',
		'22/tcp from ::',
		'22/tcp from 10.0.0.0/8 on eth0 limit',
		'mdns on eth0',
	])('writes %s the way it is read', (text) => {
		expect(parseOpening(text, NONE).map(printOpening)).toEqual([text]);
	});

	it('writes ranges with the sign it is given', () => {
		expect(printPorts({first: 1, last: 2}, ':')).toBe('1:2');
		expect(printPorts({first: 1, last: 1}, ':')).toBe('1');
	});
});

describe('parseOpenings', () => {
	const print = (list: readonly Opening[]) => list.map(printOpening).join(', ');

	it('reads a list, passes over empty places and says each port once', () => {
		expect(print(parseOpenings(' ,ssh,, 22/tcp , 53/udp,53/tcp,', OWN_SERVICES))).toBe(
			'22/tcp, 53',
		);
		expect(parseOpenings('', NONE)).toEqual([]);
		expect(parseOpenings(' , ', NONE)).toEqual([]);
	});

	it.each([
		['22/tcp from 10.0.0.1,10.0.0.2,53', '22/tcp from 10.0.0.1, 10.0.0.2; 53'],
		['22/tcp from ::1, ::2 on eth0, 8000:8010/tcp', '22/tcp from ::1, ::2 on eth0; 8000-8010/tcp'],
		[
			'80 443 from ::1, 10.0.0.1 limit',
			'80 from ::1, 10.0.0.1 limit; 443 from ::1, 10.0.0.1 limit',
		],
		['22/tcp from 10.0.0.0/8, ::1, 10.1.2.3, ::1, ssh', '22/tcp'],
		['22/tcp from ::1, https from ::2, ::3', '22/tcp from ::1; 443 from ::2, ::3'],
	])('takes what follows a source and is an address as one more: %s', (text, openings) => {
		expect(parseOpenings(text, OWN_SERVICES).map(printOpening).join('; ')).toBe(openings);
	});

	it('names the part that is wrong', () => {
		expect(inputErrorOf(() => parseOpenings('22/tcp from ::1, 10.0.0.256, 53', NONE)).message).toBe(
			'"10.0.0.256" is not an IP address',
		);
	});

	it('reads back what is printed, with commas between', () => {
		fc.assert(
			fc.property(fc.array(openings(), {maxLength: 12}), (list) => {
				const once = parseOpenings(print(list), NONE);
				expect(parseOpenings(print(once), NONE)).toEqual(once);
			}),
		);
	});
});
