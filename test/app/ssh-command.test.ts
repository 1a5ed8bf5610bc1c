import {expect, test} from 'vitest';
import {sshCommand} from '../../source/app/ssh-command.ts';
import type {TcpSocket} from '../../source/host/sockets/proc-net.ts';
import type {Session} from '../../source/host/sockets/session.ts';

function session(localAddress: string, localPort: number, remoteAddress: string): Session {
	const connection: TcpSocket = {
		...{localAddress, localPort, remoteAddress, remotePort: 50_000},
		...{state: 'established', inode: '1', uid: 0},
	};
	return {
		...{kind: 'remote', client: remoteAddress, inInterface: 'eth0', connection},
		accessPorts: [{protocol: 'tcp', first: localPort, last: localPort}],
	};
}

test.each([
	['192.0.2.10', 22, '198.51.100.7', 'ssh ada@192.0.2.10'],
	['10.0.0.5', 2222, '10.0.0.9', 'ssh -p 2222 ada@10.0.0.5'],
	['2a00:1450::5', 22, '2a00:1450::9', 'ssh ada@2a00:1450::5'],
	// A provider forwards the public address to it.
	['10.0.0.5', 22, '8.8.8.8', 'ssh ada@HOST'],
	['fe80::1', 22, 'fe80::2', 'ssh ada@HOST'],
])('at %s, port %i, from %s it is %s', (address, port, client, command) => {
	expect(sshCommand(session(address, port, client), 'ada')).toBe(command);
});

test('what is not known is left out', () => {
	expect(sshCommand(session('192.0.2.10', 22, '198.51.100.7'), undefined)).toBe('ssh 192.0.2.10');
	expect(sshCommand({kind: 'console'}, 'ada')).toBeUndefined();
	const mosh = {...session('192.0.2.10', 22, '198.51.100.7'), connection: 'mosh'} as Session;
	expect(sshCommand(mosh, 'ada')).toBe('ssh ada@HOST');
});
