import {expect, it} from 'vitest';
import type {Listener} from '../../source/services/listener.ts';
import {recommendRole} from '../../source/services/recommend-role.ts';
import {socketOn} from '../_helpers/lab/sockets.ts';

const on = (port: number, process: string | undefined, rest: Partial<Listener> = {}) =>
	socketOn(port, {process, ...rest});
const local = {address: '127.0.0.1', reach: 'loopback'} as const;
const udp = {protocol: 'udp'} as const;

it.each<[string, readonly Listener[], string]>([
	['nothing', [], 'nothing listens for others'],
	['sshd', [on(22, 'sshd', {unit: 'ssh.service'})], 'nothing listens but sshd'],
	['sshd held by systemd', [on(22, 'systemd', {unit: 'ssh.service'})], 'nothing listens but sshd'],
	['what is not ours to see', [on(22, undefined)], 'nothing listens but something on 22/tcp'],
	[
		'services on loopback',
		[on(5432, 'postgres', {...local, unit: 'postgresql@15-main.service'}), on(22, 'sshd')],
		'nothing listens but sshd',
	],
	[
		'DHCP, discovery, the clock and passing sockets',
		[
			on(68, 'dhclient', udp),
			on(546, 'systemd-network', {...udp, unit: 'systemd-networkd.service'}),
			on(5353, 'avahi-daemon', {...udp, unit: 'avahi-daemon.service'}),
			on(5353, 'chrome', udp),
			on(43_211, 'firefox', udp),
			on(40_001, undefined, {...udp, unit: 'foo.service'}),
			on(123, 'ntpd', {...udp, unit: 'ntpsec.service'}),
			on(51_820, undefined, {...udp, kernel: true}),
		],
		'no service listens for others',
	],
	[
		'a client of NFS',
		[
			on(41_234, 'rpc.statd', {unit: 'rpc-statd.service'}),
			on(38_111, undefined, {kernel: true}),
			on(111, 'rpcbind', {unit: 'rpcbind.service'}),
		],
		'nothing listens but rpcbind',
	],
	[
		'what a user runs',
		[on(3000, 'node'), on(22_000, 'syncthing', {unit: 'syncthing.service', unitOf: 'alice'})],
		'nothing listens but node and syncthing',
	],
])('workstation: %s', (_, listeners, reason) => {
	expect(recommendRole(listeners)).toEqual({role: 'workstation', reason});
});

it.each<[readonly Listener[], string]>([
	[
		[
			on(80, 'nginx', {unit: 'nginx.service'}),
			on(443, 'nginx', {unit: 'nginx.service'}),
			on(5432, 'postgres', {unit: 'postgresql@15-main.service'}),
			on(22, 'sshd'),
		],
		'nginx and postgresql listen on all addresses',
	],
	[[on(80, 'nginx', {address: '192.0.2.1'})], 'nginx listens for others'],
	[[on(8080, 'java', {unit: 'tomcat9.service'})], 'java listens on all addresses'],
	[
		// The ports of NFS are random, and its own is the kernel's.
		[
			on(35_211, 'rpc.mountd', {unit: 'nfs-mountd.service'}),
			on(2049, undefined, {kernel: true}),
			on(111, 'rpcbind', {unit: 'rpcbind.service'}),
		],
		'rpc.mountd and the NFS server listen on all addresses',
	],
	[[on(443, undefined)], 'something on 443/tcp listens on all addresses'],
	[
		['nginx', 'mariadbd', 'redis-server', 'dovecot'].map((name, index) => on(index + 1, name)),
		'nginx, MariaDB and 2 more listen on all addresses',
	],
])('server: %#', (listeners, reason) => {
	expect(recommendRole(listeners)).toEqual({role: 'server', reason});
});

it('takes a machine that publishes ports of containers for a server', () => {
	const proxy = on(8080, 'docker-proxy', {container: 'Docker'});
	expect(recommendRole([on(22, 'sshd'), proxy], [{by: 'Docker'}, {by: 'Docker'}])).toEqual({
		role: 'server',
		reason: 'ports are published by Docker',
	});
});
