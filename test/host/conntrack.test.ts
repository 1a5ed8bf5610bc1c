import {describe, expect, test} from 'vitest';
import {parseFlows} from '../../source/host/sockets/conntrack.ts';

describe('what conntrack tells of UDP', () => {
	test('has who began it, and who answers behind nat', () => {
		const lines = [
			'udp      17 27 src=172.18.0.2 dst=172.18.0.1 sport=40000 dport=53 src=172.18.0.1 dst=172.18.0.2 sport=53 dport=40000 mark=0 use=1',
			'ipv4     2 udp      17 118 src=10.77.0.60 dst=192.0.2.1 sport=5000 dport=514 [UNREPLIED] src=192.0.2.1 dst=10.77.0.60 sport=514 dport=5000 [ASSURED] mark=0 zone=0 use=2',
			'udp      17 29 src=fd77::60 dst=fd77::1 sport=5000 dport=53 packets=1 bytes=60 src=fd77::9 dst=fd77::60 sport=5353 dport=5000 packets=1 bytes=60 mark=0 use=1',
		];
		expect(parseFlows(lines)).toEqual([
			{source: '172.18.0.2', answers: {address: '172.18.0.1', port: 53}},
			{source: '10.77.0.60', answers: {address: '192.0.2.1', port: 514}},
			{source: 'fd77::60', answers: {address: 'fd77::9', port: 5353}},
		]);
	});

	test('is nothing in other lines', () => {
		expect(parseFlows(['', 'conntrack v1.4.7: 3 flow entries', 'icmp 1 29 src=a dst=b'])).toEqual(
			[],
		);
	});
});
