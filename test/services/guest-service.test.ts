import {describe, expect, test} from 'vitest';
import {shortOpening} from '../../source/policy/opening.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {
	basicOf,
	describeShutToGuests,
	findGuestServices,
	findShutToGuests,
	type InnerNetwork,
	notForGuests,
	openingOfListeners,
	openingsForGuests,
} from '../../source/services/guest-service.ts';
import {socketOn} from '../_helpers/lab/sockets.ts';

const VIRBR: InnerNetwork = {
	name: 'virbr0',
	addresses: ['192.168.122.1', 'fe80::1'],
	subnets: ['192.168.122.1/24'],
	pattern: 'virbr0',
	ofGuests: true,
};
const WLAN: InnerNetwork = {
	...{name: 'wlan0', addresses: ['10.42.0.1'], subnets: ['10.42.0.1/24']},
	...{pattern: 'wlan0', ofGuests: false},
};
const APP: InnerNetwork = {
	...{name: 'br-3f2a9b1c4d5e', addresses: ['172.18.0.1'], subnets: ['172.18.0.1/16']},
	...{pattern: 'br-+', ofGuests: true, network: 'app_default'},
};

const DNSMASQ = [
	socketOn(53, {address: '192.168.122.1', protocol: 'udp', process: 'dnsmasq'}),
	socketOn(53, {address: '192.168.122.1', process: 'dnsmasq'}),
	socketOn(67, {address: '0.0.0.0', protocol: 'udp', process: 'dnsmasq', on: 'virbr0'}),
];
const POSTGRES = socketOn(5432, {address: '192.168.122.1', process: 'postgres'});
const SSH = socketOn(22, {address: '0.0.0.0', process: 'sshd'});

describe('services for the hosts behind this machine', () => {
	test('are those that wait on an address of a bridge, or on its interface', () => {
		const found = findGuestServices([SSH, ...DNSMASQ, POSTGRES], [VIRBR]);
		expect(openingsForGuests(found).map(shortOpening).sort()).toEqual(
			['53 on virbr0', '67/udp on virbr0', '5432/tcp on virbr0'].sort(),
		);
		expect(openingsForGuests(basicOf(found)).map(shortOpening)).toEqual([
			'53 on virbr0',
			'67/udp on virbr0',
		]);
	});

	test('are on another interface only where this machine gives addresses there', () => {
		const dns = socketOn(53, {address: '10.42.0.1', protocol: 'udp', process: 'dnsmasq'});
		const dhcp = socketOn(67, {
			address: '0.0.0.0',
			protocol: 'udp',
			process: 'dnsmasq',
			on: 'wlan0',
		});
		expect(findGuestServices([dns], [WLAN])).toEqual([]);
		expect(findGuestServices([dns, dhcp], [WLAN]).map(({port}) => port)).toEqual([53, 67]);
	});

	test('are not for others', () => {
		expect(notForGuests([SSH, ...DNSMASQ, POSTGRES], [VIRBR, WLAN])).toEqual([SSH]);
		expect(notForGuests(DNSMASQ, [])).toEqual(DNSMASQ);
		// As /proc tells it, without the interface; and the server of another program, for the network outside.
		const dhcp = (process: string) => socketOn(67, {address: '0.0.0.0', protocol: 'udp', process});
		const [dns] = DNSMASQ;
		const all = [...(dns ? [dns] : []), dhcp('dnsmasq'), dhcp('dhcpd')];
		expect(notForGuests(all, [VIRBR])).toEqual([dhcp('dhcpd')]);
	});

	test('are those that they use now, on whatever address', () => {
		const web = socketOn(80, {address: '0.0.0.0', process: 'nginx'});
		const local = socketOn(5432, {address: '127.0.0.1', process: 'postgres', reach: 'loopback'});
		const database = socketOn(5432, {address: '0.0.0.0', process: 'postgres'});
		const uses = [
			{protocol: 'tcp', port: 5432, source: '172.18.0.2'},
			{protocol: 'tcp', port: 5432, source: '172.18.0.2'},
			// Its own address, another network, another protocol.
			{protocol: 'tcp', port: 80, source: '172.18.0.1'},
			{protocol: 'tcp', port: 80, source: '198.51.100.7'},
			{protocol: 'udp', port: 80, source: '172.18.0.2'},
		] as const;
		const found = findGuestServices([web, local, database], [APP, VIRBR], uses);
		expect(found).toEqual([
			{network: APP, protocol: 'tcp', port: 5432, program: 'postgres', users: ['172.18.0.2']},
		]);
		expect(describeShutToGuests(found)).toEqual([
			'postgres serves containers of app_default (172.18.0.2 uses it now), and is not open to them. To open: 5432/tcp on br-+',
		]);
		// The bridge that Docker makes for the network the next time has another name.
		const anew = found.map((one) => ({...one, network: {...APP, name: 'br-aaaabbbbcccc'}}));
		expect(findShutToGuests(anew, openingsForGuests(found))).toEqual([]);
	});

	test('are named where no opening lets their hosts in', () => {
		const found = findGuestServices([...DNSMASQ, POSTGRES], [VIRBR]);
		const shut = (text: string) =>
			describeShutToGuests(findShutToGuests(found, parseOpenings(text, new Map())));
		expect(shut('22/tcp, 53 on eth0')).toEqual([
			'dnsmasq and postgres serve guests on virbr0, and are not open to them. To open: 53 on virbr0, 67/udp on virbr0, 5432/tcp on virbr0',
		]);
		expect(shut('53, 67/udp on virbr0')).toEqual([
			'postgres serves guests on virbr0, and is not open to them. To open: 5432/tcp on virbr0',
		]);
		expect(shut('53, 67/udp on virbr0, 5432/tcp')).toEqual([]);
	});

	test('are opened for their network alone, unless somebody else listens as well', () => {
		const found = findGuestServices([POSTGRES], [VIRBR]);
		const port = {protocol: 'tcp', port: 5432} as const;
		const both = [POSTGRES, socketOn(5432, {address: '203.0.113.9'})];
		expect(openingOfListeners(port, [POSTGRES], found).map(shortOpening)).toEqual([
			'5432/tcp on virbr0',
		]);
		expect(openingOfListeners(port, both, found).map(shortOpening)).toEqual(['5432/tcp']);
	});
});
