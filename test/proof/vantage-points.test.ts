import process from 'node:process';
import {describe, expect, test} from 'vitest';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {planForPolicy} from '../../source/proof/vantage-points.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';

const ETH0 = {name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8:5::1/64']};

async function plan(
	openings: string,
	remoteClient?: Parameters<typeof planForPolicy>[2],
	interfaces = [ETH0],
) {
	const policy = completePolicy({role: 'server', openings: parseOpenings(openings, new Map())});
	const {vantagePoints, untried} = await planForPolicy(policy, interfaces, remoteClient);
	return {
		seen: vantagePoints.map(
			({source, inInterface, kind, name}) =>
				`${source} ${inInterface}: ${kind === 'network' ? 'in ' : kind === 'beside' ? 'beside ' : ''}${name}`,
		),
		untried,
	};
}

describe('where packets are sent from', () => {
	test('a stranger of each family', async () => {
		expect((await plan('22/tcp')).seen).toEqual([
			'203.0.113.77 eth0: anywhere',
			'2001:db8:77::77 eth0: anywhere',
		]);
	});

	test('a stranger on each interface that is named, and on one that is not', async () => {
		expect((await plan('22/tcp, 80/tcp on eth0')).seen).toEqual([
			'203.0.113.77 fww-other: anywhere',
			'2001:db8:77::77 fww-other: anywhere',
			'203.0.113.77 eth0: anywhere on eth0',
			'2001:db8:77::77 eth0: anywhere on eth0',
		]);
	});

	test('a host of each network of containers and guests', async () => {
		const bridge = {
			...{name: 'virbr0', addresses: ['192.168.122.1/24']},
			inside: 'guests on virbr0',
		};
		const expected = [
			'203.0.113.77 eth0: anywhere',
			'2001:db8:77::77 eth0: anywhere',
			'192.168.122.2 virbr0: guests on virbr0',
		];
		expect((await plan('22/tcp', undefined, [bridge, ETH0])).seen).toEqual(expected);
		expect((await plan('22/tcp, 53 on virbr0', undefined, [bridge, ETH0])).seen).toEqual([
			...expected.slice(0, 2),
			// It has no IPv6 there now, and may have some later.
			'2001:db8:77::77 virbr0: guests on virbr0',
			expected[2],
		]);
		const lease = await plan('22/tcp, 80/tcp from 192.168.122.0/25 on virbr0', undefined, [
			bridge,
			ETH0,
		]);
		expect(lease.seen).toContain('192.168.122.128 virbr0: beside 192.168.122.0/25');
	});

	test('in a network, and just outside of it', async () => {
		expect((await plan('22/tcp from 10.1.0.0/16')).seen.slice(2)).toEqual([
			'10.1.0.1 eth0: in 10.1.0.0/16',
			'10.2.0.0 eth0: beside 10.1.0.0/16',
		]);
		expect((await plan('22/tcp from 2001:db8:1::/48')).seen.slice(2)).toEqual([
			'2001:db8:1::1 eth0: in 2001:db8:1::/48',
			'2001:db8:2:: eth0: beside 2001:db8:1::/48',
		]);
	});

	test('a network that begins where no packet can come from has others inside', async () => {
		expect((await plan('22/tcp from ::/0')).seen.slice(2)).toEqual(['::2 eth0: in ::/0']);
		expect((await plan('22/tcp from 0.0.0.0/1')).seen.slice(2)).toEqual([
			'64.0.0.1 eth0: in 0.0.0.0/1',
			'128.0.0.0 eth0: beside 0.0.0.0/1',
		]);
	});

	test('no stranger belongs to a network of the policy', async () => {
		expect((await plan('22/tcp from 203.0.113.0/24')).seen[0]).toBe('198.51.100.77 eth0: anywhere');
	});

	test('no stranger has an address of the machine', async () => {
		const documented = {name: 'eth0', addresses: ['203.0.113.77/24', '2001:db8:77::77/64']};
		expect((await plan('22/tcp', undefined, [documented])).seen).toEqual([
			'198.51.100.77 eth0: anywhere',
			'3fff:77::77 eth0: anywhere',
		]);
	});

	test('a stranger stays where the networks of the policy hold all addresses', async () => {
		const {seen} = await plan('22/tcp from 0.0.0.0/1, 22/tcp from 128.0.0.0/1');
		expect(seen[0]).toBe('203.0.113.77 eth0: anywhere');
	});

	test('never the machine itself', async () => {
		expect((await plan('22/tcp from 192.0.2.1')).seen.join()).not.toMatch(/192\.0\.2\.1 /);
	});

	test('networks that no packet from outside can have are said to be untried', async () => {
		expect((await plan('22/tcp from fe80::/10, 53 from 224.0.0.0/4')).untried).toEqual([
			'fe80::/10',
			'224.0.0.0/4',
		]);
	});

	test('the visitor, on the interface of the session', async () => {
		const remoteClient = {client: '198.51.100.9', inInterface: 'wg0', accessPorts: []};
		expect((await plan('22/tcp', remoteClient)).seen).toEqual([
			'203.0.113.77 wg0: anywhere',
			'2001:db8:77::77 wg0: anywhere',
			'198.51.100.9 wg0: you, 198.51.100.9',
		]);
	});

	test('a machine with no interface', async () => {
		expect((await plan('22/tcp', undefined, [])).seen).toHaveLength(2);
	});
});

describe('the visitor over SSH', () => {
	const lab = useLab();

	test.each([
		['22/tcp', 0, /Proven/],
		['22/tcp from 198.51.100.0/24', 0, /Proven/],
		[
			'22/tcp from 10.0.0.0/8',
			1,
			/Failed: IPv4: you, 198\.51\.100\.9, reach 22\/tcp again: the policy blocks it/,
		],
	])(
		'%s',
		async (openings, status, words) => {
			const host = await lab.host();
			await host.ip([
				'link add eth0 type veth peer name cable',
				'address add 192.0.2.1/24 dev eth0',
				'link set eth0 up',
				'link set cable up',
			]);
			const result = await host.run('env', [
				'SSH_CONNECTION=198.51.100.9 50000 192.0.2.1 22',
				...[process.execPath, CLI, 'prove', '--role', 'server', '--open', openings],
			]);
			expect(result.stdout).toMatch(/from you, 198\.51\.100\.9/);
			expect(result.stdout).toMatch(words);
			expect(result.status).toBe(status);
		},
		60_000,
	);
});
