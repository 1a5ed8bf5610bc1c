import {expect, test} from 'vitest';
import {suggestClients} from '../../source/services/suggest-clients.ts';

const INTERFACES = [
	{name: 'eth0', addresses: ['192.0.2.10/24', '2001:db8::10/64', 'fe80::1/64']},
	{name: 'eth1', addresses: ['10.0.0.5/8']},
	{name: 'docker0', addresses: ['172.17.0.1/16']},
];
const NAMES = ['lo', 'eth0', 'eth1', 'docker0', 'wg0', 'tailscale0', 'nordlynx', 'wg0-mullvad'];

test('the network of the client comes first, then those of this machine, then private ones', () => {
	expect(suggestClients(INTERFACES, NAMES, '10.1.2.3')).toEqual({
		clients: [
			'from 10.0.0.0/8',
			'from 192.0.2.0/24',
			'from 2001:db8::/64',
			'on tailscale0',
			'on wg0',
		],
		vpns: ['tailscale0', 'wg0'],
	});
});

test('of a client from elsewhere the address alone', () => {
	expect(suggestClients(INTERFACES, undefined, '203.0.113.9').clients[0]).toBe('from 203.0.113.9');
	expect(suggestClients(INTERFACES, undefined, undefined)).toEqual({
		clients: ['from 192.0.2.0/24', 'from 2001:db8::/64', 'from 10.0.0.0/8'],
		vpns: [],
	});
});
