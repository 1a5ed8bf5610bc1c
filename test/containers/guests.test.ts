import {beforeAll, describe, expect, test, vi} from 'vitest';
import type {Exposed} from '../../source/exposure/model.ts';
import {type Debian, PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';

const PACKAGES = ['libvirt-daemon-system', 'incus', 'lxc', 'dnsmasq-base', 'busybox'];
/** The bridges and what the programs give them as addresses: libvirt, incus and lxc-net, as in Debian 13. */
const BRIDGES = {virbr0: '192.168.122.1', incusbr0: '10.77.0.1', lxcbr0: '10.0.3.1'} as const;
type Bridge = keyof typeof BRIDGES;
const NAMES = Object.keys(BRIDGES) as readonly Bridge[];

const SERVER = ['--role', 'server', '--no-helper', '--open', '22/tcp'];
const DATABASE = 5432;

const SERVE = `require('node:net').createServer((socket) => socket.on('error', () => {}).write('hello')).listen(${DATABASE}, () => console.log('listens'));`;
const HOLD = (address: string) =>
	`require('node:net').connect({port: ${DATABASE}, host: '${address}', allowHalfOpen: true}, () => console.log('connected')).resume(); setInterval(() => {}, 1000);`;

/** What a guest gets of its host: an address, an answer from its name server, an answer of the database. */
const ASK = (address: string) => `
const {Resolver} = require('node:dns');
const one = new Resolver({timeout: 700, tries: 2});
one.setServers(['${address}']);
one.resolve4('host.test', (error) => {
	const names = !['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'].includes(error?.code);
	const socket = require('node:net').connect({port: ${DATABASE}, host: '${address}', timeout: 1500});
	const end = (database) => (console.log(JSON.stringify({names, database})), process.exit());
	socket.on('data', () => end(true)).on('error', () => end(false)).on('timeout', () => end(false));
});`;

/** libvirt's other backend, nftables, needs an action of tc(8) that not each kernel has, as this box's has not. */
describe('guests of incus, lxc-net and libvirt', () => {
	const debians = useDebians(useLab());
	let debian: Debian;
	let host: Host;

	beforeAll(async () => {
		debian = await debians.boot(
			'trixie',
			{
				'/etc/default/lxc-net': 'USE_LXC_BRIDGE="true"\n',
				'/etc/libvirt/network.conf': 'firewall_backend = "iptables"\n',
				'/opt/lease': '#!/bin/sh\n[ "$1" != bound ] || echo "lease $ip"\n',
			},
			{packages: PACKAGES, nests: true},
		);
		await debian.install();
		({host} = debian);
		await host.must('chmod', ['+x', '/opt/lease']);
		await host.must('virsh', ['net-start', 'default']);
		await host.must('systemctl', ['start', 'incus', 'lxc-net']);
		await host.must('incus', [
			...['network', 'create', 'incusbr0', 'ipv4.address=10.77.0.1/24', 'ipv6.address=none'],
		]);
		for (const name of NAMES) {
			await host.ip([
				`netns add ${name}`,
				`link add to-${name} type veth peer name eth0 netns ${name}`,
				`link set to-${name} master ${name} up`,
			]);
			await inGuest(name, 'ip', 'link', 'set', 'lo', 'up');
			await inGuest(name, 'ip', 'link', 'set', 'eth0', 'up');
		}

		await host.start('node', ['-e', SERVE], /listens/);
	}, 600_000);

	const inGuest = async (name: Bridge, ...words: readonly string[]) =>
		host.run('ip', ['netns', 'exec', name, ...words]);

	const gets = async (name: Bridge) => {
		const address = BRIDGES[name];
		const lease = await inGuest(
			name,
			'busybox',
			'udhcpc',
			'-i',
			'eth0',
			'-n',
			'-q',
			'-f',
			'-t',
			'4',
			'-T',
			'1',
			'-s',
			'/opt/lease',
		);
		const own = address.replace(/\d+$/, '77');
		await inGuest(name, 'ip', 'address', 'replace', `${own}/24`, 'dev', 'eth0');
		const {stdout} = await inGuest(name, 'node', '-e', ASK(address));
		return {lease: lease.stdout.includes('lease '), ...JSON.parse(stdout)};
	};

	const all = async () => {
		const found = await Promise.all(NAMES.map(async (name) => [name, await gets(name)]));
		return Object.fromEntries(found);
	};

	const works = {lease: true, names: true, database: true};
	const basic = NAMES.flatMap((name) => ['--open', `53 on ${name}`, '--open', `67/udp on ${name}`]);
	/** The rules of libvirt stand ahead of ours, in the same tables of iptables. */
	const letIn = 'virbr0';

	test('keep what they have, or what they lose is named', async () => {
		// A bridge with the spanning tree protocol forwards nothing in its first seconds.
		await vi.waitFor(
			async () => expect(await all()).toEqual({virbr0: works, incusbr0: works, lxcbr0: works}),
			{timeout: 60_000},
		);
		await host.start(
			...([
				'ip',
				['netns', 'exec', 'incusbr0', 'node', '-e', HOLD(BRIDGES.incusbr0)],
				/connected/,
			] as const),
		);

		const apply = async (...words: readonly string[]) =>
			host.run('node', [PROGRAM, 'apply', ...SERVER, ...words, '--yes']);
		const shut = await apply();
		expect(shut.status).toBe(0);
		for (const name of NAMES) {
			const named = shut.stderr.split('\n').filter((line) => line.includes(`guests on ${name}`));
			const needs = [`53 on ${name}`, `67/udp on ${name}`];
			expect(named.some((line) => needs.every((text) => line.includes(text)))).toBe(name !== letIn);
		}

		expect(shut.stderr).toContain('table inet incus of nftables accepts them');
		expect(shut.stderr).toContain('table inet lxc of nftables accepts them');
		expect(shut.stderr).toContain(`${DATABASE}/tcp on incusbr0`);
		const nothing = {lease: false, names: false, database: false};
		expect(await all()).toEqual({
			incusbr0: nothing,
			lxcbr0: nothing,
			virbr0: {...works, database: false},
		});

		const open = await apply(...basic, '--open', `${DATABASE}/tcp on incusbr0`);
		expect(open.stderr).not.toContain('serves guests');
		const declined = {...works, database: false};
		expect(await all()).toEqual({virbr0: declined, incusbr0: works, lxcbr0: declined});
	}, 300_000);

	test('have the rows in exposure that they find', async () => {
		const {rows} = JSON.parse(
			await host.must('node', [PROGRAM, 'exposure', ...SERVER, ...basic, '--json']),
		) as {rows: readonly Exposed[]};
		const afterOf = (port: number) =>
			rows
				.filter((row) => row.ports.some(({first, last}) => first <= port && port <= last))
				.filter(({listens, from}) => listens && from.startsWith('guests on'))
				.map(({from, before, after}) => `${from}: ${before}, ${after}`);
		expect(afterOf(DATABASE)).toEqual(['guests on incusbr0: open, shut']);
		for (const name of NAMES) {
			expect(afterOf(67).filter((text) => text.includes(name))).toEqual([
				`guests on ${name}: open, open`,
			]);
		}

		expect(await host.run('node', [PROGRAM, 'prove'])).toMatchObject({status: 0, stderr: ''});
		await host.must('node', [PROGRAM, 'undo', '--all']);
		expect(await all()).toEqual({virbr0: works, incusbr0: works, lxcbr0: works});
	}, 300_000);
});
