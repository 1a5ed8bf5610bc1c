import {describe, expect, it} from 'vitest';
import {parsePacket} from '../../source/ruleset/packet.ts';
import {inputErrorOf} from '../_helpers/samples/errors.ts';

const tcp = {protocol: 'tcp', sourcePort: 49_152, syn: true, state: 'NEW', inInterface: 'eth0'};
const udp = {protocol: 'udp', sourcePort: 49_152, state: 'NEW', inInterface: 'eth0'};

const other = {inInterface: 'eth0', state: 'NEW'};

describe('parsePacket', () => {
	it.each(['tcp 3306', 'tcp/3306', '3306/tcp', '3306 tcp', ' TCP  3306 ', '3306/TCP'])(
		'reads "%s" as one packet of each family, from a stranger',
		(text) => {
			expect(parsePacket(text, 'eth0')).toEqual([
				{...tcp, family: 4, source: '192.0.2.1', destinationPort: 3306},
				{...tcp, family: 6, source: '2001:db8::1', destinationPort: 3306},
			]);
		},
	);

	it.each<[string, object]>([
		['tcp 22 from 10.0.0.1', {...tcp, family: 4, source: '10.0.0.1', destinationPort: 22}],
		[
			'udp 53 on Br0 FROM 2001:DB8:0::2',
			{...udp, family: 6, source: '2001:db8::2', inInterface: 'Br0', destinationPort: 53},
		],
		[
			'udp 5353 to 224.0.0.251',
			{...udp, family: 4, source: '192.0.2.1', destination: '224.0.0.251', destinationPort: 5353},
		],
		['tcp 0 from ::1', {...tcp, family: 6, source: '::1', destinationPort: 0}],
		['igmp', {protocol: 'igmp', family: 4, source: '192.0.2.1', inInterface: 'eth0', state: 'NEW'}],
		['esp from ::1', {...other, protocol: 'esp', family: 6, source: '::1'}],
		['6in4', {...other, protocol: '41', family: 4, source: '192.0.2.1'}],
		['protocol 103 from 10.0.0.1', {...other, protocol: '103', family: 4, source: '10.0.0.1'}],
		[
			'sctp 2905 from 10.0.0.1',
			{...udp, protocol: 'sctp', family: 4, source: '10.0.0.1', destinationPort: 2905},
		],
		[
			'icmp from ::1',
			{protocol: 'ipv6-icmp', family: 6, source: '::1', inInterface: 'eth0', state: 'NEW'},
		],
	])('reads "%s"', (text, packet) => {
		expect(parsePacket(text, 'eth0')).toEqual([packet]);
	});

	it('spells ICMP as each family does', () => {
		expect(parsePacket('icmp', 'eth0').map(({protocol}) => protocol)).toEqual([
			'icmp',
			'ipv6-icmp',
		]);
	});

	it.each([
		['', '"" is not a protocol: tcp, udp, icmp'],
		['22', '"22" is not a protocol'],
		['protocol', 'is not a protocol'],
		['protocol 0', 'is not a protocol'],
		['sctp', 'After the protocol comes a port'],
		['6in4 from ::1', '6IN4 is a part of IPv4 only'],
		['\u001B[2J', '"?[2j" is not a protocol'],
		['tcp', 'After the protocol comes a port'],
		['tcp ssh', 'After the protocol comes a port, not "ssh"'],
		['tcp from 10.0.0.1', 'After the protocol comes a port, not "from"'],
		['tcp 65536', 'not "65536"'],
		['tcp 22-23', 'not "22-23"'],
		['tcp -1', 'not "-1"'],
		['tcp 22 \u202Exyz', '"?xyz" is not understood here'],
		['tcp 22 from', '"from" is not understood here'],
		['tcp 22 from 10.0.0.1 from 10.0.0.2', '"from" is there twice'],
		['tcp 22 from 10.0.0.0/8', 'is not an IP address'],
		['tcp 22 from 300.1.1.1', 'is not an IP address'],
		['tcp 22 from fe80::1%eth0', 'is not an IP address'],
		['tcp 22 from 10.0.0.1 to ::1', 'The two addresses are of different families'],
		['igmp from ::1', 'IGMP is a part of IPv4 only'],
		['icmp 8', '"8" is not understood here'],
	])('refuses %j', (text, message) => {
		expect(inputErrorOf(() => parsePacket(text, 'eth0')).message).toContain(message);
	});
});
