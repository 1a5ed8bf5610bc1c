import {describe, expect, it} from 'vitest';
import {parseControlGroups, parseSocketUnits} from '../../source/host/sockets/units.ts';

const CONTAINER = 'ab12'.repeat(16);

describe('the unit of a process', () => {
	it.each([
		['0::/system.slice/nginx.service', {unit: 'nginx.service'}],
		[
			'0::/system.slice/system-postgresql.slice/postgresql@15-main.service',
			{unit: 'postgresql@15-main.service'},
		],
		['12:pids:/\n1:name=systemd:/system.slice/ssh.service\n0::/', {unit: 'ssh.service'}],
		[String.raw`0::/system.slice/a\x2db.service`, {unit: String.raw`a\x2db.service`}],
		// A service may make groups of its own, with any name.
		['0::/system.slice/foo.service/nginx.service', {unit: 'foo.service'}],
		[
			'0::/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service',
			{unit: 'syncthing.service', userId: 1000},
		],
		['0::/user.slice/user-1000.slice/user@1000.service/init.scope', {}],
		['0::/user.slice/user-1000.slice/session-3.scope', {}],
		['0::/init.scope', {}],
		['0::/', {}],
		['', {}],
		[`0::/system.slice/docker-${CONTAINER}.scope`, {container: 'Docker'}],
		[`4:memory:/docker/${CONTAINER}`, {container: 'Docker'}],
		[`0::/machine.slice/libpod-${CONTAINER}.scope/container`, {container: 'podman'}],
		['0::/kubepods.slice/kubepods-burstable.slice/x.scope', {container: 'Kubernetes'}],
		['0::/lxc.payload.web/system.slice/nginx.service', {container: 'LXC'}],
		['0::/machine.slice/systemd-nspawn@web.service/payload', {container: 'systemd-nspawn'}],
	])('%s', (text, expected) => {
		expect(parseControlGroups(text)).toEqual(expected);
	});

	it.each([
		"0::/system.slice/a'; reboot.service",
		'0::/system.slice/a\u001b[2J.service',
		'0::/x/$(id).service',
	])('is not believed where systemd would allow no such name: %j', (text) => {
		expect(parseControlGroups(text)).toEqual({});
	});
});

it('reads what systemd says of its socket units, also of those that listen on files alone', () => {
	const text = `Triggers=ssh.service
Listen=[::]:22 (Stream)
Listen=0.0.0.0:22 (Stream)
Id=ssh.socket

Id=rpcbind.socket
Listen=/run/rpcbind.sock (Stream)
Listen=0.0.0.0:111 (Datagram)
Triggers=rpcbind.service

Id=cups.socket
Listen=/run/cups/cups.sock (Stream)
Triggers=cups.service

Id=evil\u001b.socket
Triggers=evil.service

Id=nothing.socket
Triggers=
`;
	expect(parseSocketUnits(text)).toEqual([
		{
			name: 'ssh.socket',
			service: 'ssh.service',
			listens: [
				{protocol: 'tcp', end: '[::]:22'},
				{protocol: 'tcp', end: '0.0.0.0:22'},
			],
		},
		{
			name: 'rpcbind.socket',
			service: 'rpcbind.service',
			listens: [{protocol: 'udp', end: '0.0.0.0:111'}],
		},
		{name: 'cups.socket', service: 'cups.service', listens: []},
	]);
});
