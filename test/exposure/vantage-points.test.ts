import {describe, expect, it} from 'vitest';
import {planForExposure} from '../../source/exposure/vantage-points.ts';
import type {Interface} from '../../source/host/machine/interfaces.ts';
import {FAMILIES, type Family} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import type {RemoteClient} from '../../source/ruleset/lockout.ts';

const ETH0 = {name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8:5::1/64', 'fe80::1/64']};
const WG0 = {name: 'wg0', addresses: ['10.9.0.1/24']};

async function plan({
	rules = '',
	openings = '',
	interfaces = [ETH0],
	families = FAMILIES,
	remoteClient = undefined as RemoteClient | undefined,
	listening = [] as readonly string[],
}: {
	rules?: string;
	openings?: string;
	interfaces?: readonly Interface[];
	families?: readonly Family[];
	remoteClient?: RemoteClient | undefined;
	listening?: readonly string[];
}) {
	const policy =
		openings === ''
			? undefined
			: completePolicy({role: 'server', openings: parseOpenings(openings, new Map())});
	const {vantagePoints, gaps} = await planForExposure(
		interfaces,
		families,
		policy,
		{
			loads: [{program: 'iptables-restore', args: [], text: rules}],
			rules: [],
			nativeTables: [],
			unseen: [],
		},
		remoteClient,
		new Set(listening),
	);
	return {
		seen: vantagePoints.map(
			({source, inInterface, destination = 'any', name}) =>
				`${source} on ${inInterface} to ${destination}: ${name}`,
		),
		gaps,
	};
}

const ETH0_STRANGERS = [
	'203.0.113.77 on eth0 to 192.0.2.1: anywhere on eth0',
	'2001:db8:77::77 on eth0 to 2001:db8:5::1: anywhere on eth0',
];

describe('from where exposure is measured', () => {
	it('is a stranger of each family on each interface', async () => {
		expect(await plan({interfaces: [ETH0, WG0]})).toEqual({
			seen: [...ETH0_STRANGERS, '203.0.113.77 on wg0 to 10.9.0.1: anywhere on wg0'],
			gaps: [],
		});
		expect((await plan({families: [4]})).seen).toEqual(ETH0_STRANGERS.slice(0, 1));
	});

	it('is no interface that a container manager makes', async () => {
		const bridge = {name: 'docker0', addresses: ['172.17.0.1/16']};
		expect((await plan({interfaces: [bridge, ETH0]})).seen).toEqual(ETH0_STRANGERS);
		expect(await plan({interfaces: [bridge]})).toEqual({
			seen: [],
			gaps: ['No interface was found through which others reach this machine.'],
		});
	});

	it('is a host of each network of containers and guests, with an address of that network', async () => {
		const bridge = {
			...{name: 'br-3f2a9b1c4d5e', addresses: ['172.18.0.1/16', 'fd00:18::1/64']},
			inside: 'containers of app_default',
		};
		const inside = [
			'172.18.0.2 on br-3f2a9b1c4d5e to 172.18.0.1: containers of app_default',
			'fd00:18::2 on br-3f2a9b1c4d5e to fd00:18::1: containers of app_default',
		];
		expect((await plan({interfaces: [bridge, ETH0]})).seen).toEqual([...ETH0_STRANGERS, ...inside]);
		expect((await plan({interfaces: [bridge, ETH0], listening: ['192.0.2.1']})).seen).toEqual([
			...ETH0_STRANGERS,
			inside[0],
			'172.18.0.2 on br-3f2a9b1c4d5e to 192.0.2.1: containers of app_default',
			inside[1],
		]);
	});

	it('is towards each address that a rule or a listener names, and one that none does', async () => {
		const more = {
			name: 'eth0',
			addresses: ['192.0.2.1/24', '192.0.2.2/24', '192.0.2.3/24', 'fe80::1/64'],
		};
		const to = async (request: Parameters<typeof plan>[0]) =>
			(await plan({interfaces: [more], ...request})).seen.map((text) => text.split(' ')[4]);
		expect(await to({})).toEqual(['192.0.2.1:', 'any:']);
		expect(await to({listening: ['192.0.2.1', '192.0.2.3']})).toEqual([
			...['192.0.2.2:', '192.0.2.1:', '192.0.2.3:', 'any:'],
		]);
		expect(await to({rules: '-A INPUT -d 192.0.2.2/32 -j ACCEPT'})).toEqual([
			...['192.0.2.1:', '192.0.2.2:', 'any:'],
		]);
	});

	it('is each network that a rule or an opening lets in, on the interface that it names', async () => {
		const {seen} = await plan({
			rules: '-A INPUT -s 10.0.0.0/8 -j ACCEPT\n-A INPUT -s 10.9.0.0/24 -i wg0 -j ACCEPT',
			openings: '5432/tcp from 172.16.0.0/12, 80/tcp from 2001:db8:9::/48',
			interfaces: [ETH0, WG0],
		});
		expect(seen.slice(3)).toEqual([
			'172.16.0.1 on eth0 to any: 172.16.0.0/12',
			'2001:db8:9::1 on eth0 to any: 2001:db8:9::/48',
			'10.0.0.1 on eth0 to any: 10.0.0.0/8',
			'10.9.0.2 on wg0 to any: 10.9.0.0/24',
		]);
	});

	it('is no network of a family that an interface has no address of', async () => {
		const {seen} = await plan({
			rules: '-A INPUT -s fd00::/8 -j ACCEPT\n-A INPUT -s fd01::/16 -i eth7 -j ACCEPT',
			interfaces: [WG0],
		});
		expect(seen).toEqual(['203.0.113.77 on wg0 to 10.9.0.1: anywhere on wg0']);
	});

	it('is no stranger of whom a rule or an opening speaks', async () => {
		const {seen} = await plan({
			rules: '-A INPUT -s 203.0.113.0/24 -j DROP',
			openings: '22/tcp from 198.51.100.0/24',
		});
		expect(seen[0]).toBe('192.0.2.77 on eth0 to 192.0.2.1: anywhere on eth0');
	});

	it('is nobody in general where rules speak of everybody, and that is said', async () => {
		const {seen, gaps} = await plan({
			rules: '-A INPUT -s 0.0.0.0/1 -j ACCEPT\n-A INPUT -s 128.0.0.0/1 -j DROP',
		});
		expect(seen).toEqual([ETH0_STRANGERS[1], '64.0.0.1 on eth0 to any: 0.0.0.0/1']);
		expect(gaps).toEqual([
			'Rules speak of so many IPv4 addresses that nobody was found of whom they do not: over IPv4 it was not looked from anywhere.',
		]);
	});

	it('is sixteen networks at most, and that is said', async () => {
		const rules = Array.from(
			{length: 20},
			(_, index) => `-A INPUT -s 10.${index}.0.0/16 -j ACCEPT`,
		);
		const {seen, gaps} = await plan({rules: rules.join('\n')});
		expect(seen.slice(2)).toHaveLength(16);
		expect(seen.at(-1)).toBe('10.15.0.1 on eth0 to any: 10.15.0.0/16');
		expect(gaps).toEqual(['Rules allow 20 networks: 16 of them were tried, and anywhere else.']);
	});

	it('is the remote client, on the interface of the session', async () => {
		const remoteClient = {client: '198.51.100.9', inInterface: 'wg0', accessPorts: []};
		const {seen} = await plan({interfaces: [ETH0, WG0], remoteClient});
		expect(seen.at(-1)).toBe('198.51.100.9 on wg0 to any: you, 198.51.100.9');
		const inner = await plan({remoteClient: {...remoteClient, inInterface: 'docker0'}});
		expect(inner.seen.at(-1)).toBe('198.51.100.9 on eth0 to any: you, 198.51.100.9');
		const network = await plan({remoteClient, rules: '-A INPUT -s 198.51.100.9/32 -j ACCEPT'});
		expect(network.seen.slice(2)).toEqual([
			'198.51.100.9 on eth0 to any: 198.51.100.9',
			'198.51.100.9 on eth0 to any: you, 198.51.100.9',
		]);
	});

	it('is no stranger with an address of the machine', async () => {
		const documented = {name: 'eth0', addresses: ['203.0.113.77/24', '2001:db8:77::77/64']};
		expect((await plan({interfaces: [documented]})).seen).toEqual([
			'198.51.100.77 on eth0 to 203.0.113.77: anywhere on eth0',
			'3fff:77::77 on eth0 to 2001:db8:77::77: anywhere on eth0',
		]);
	});

	it('is never the machine itself', async () => {
		const remoteClient = {client: '192.0.2.1', inInterface: 'eth0', accessPorts: []};
		const {seen} = await plan({remoteClient, rules: '-A INPUT -s 192.0.2.1/32 -j ACCEPT'});
		expect(seen).toEqual(ETH0_STRANGERS);
	});
});
