import {beforeAll, describe, expect, test} from 'vitest';
import type {RunResult} from '../../source/host/exec/run.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {INSIDE, IPV6, joinedPair} from '../_helpers/lab/pair.ts';
import {CONTENT, fetchFile, MODES, type Mode, startFtpServer} from './ftp.ts';

const ACTIVE: readonly Mode[] = ['active, PORT', 'active, EPRT', 'active, EPRT over IPv6'];
const PASSIVE: readonly Mode[] = ['passive, PASV', 'passive, EPSV', 'passive, EPSV over IPv6'];

const MACHINES = [
	{
		machine: 'a workstation that is the client',
		policy: ['--role', 'workstation'],
		isServer: false,
		needHelper: ACTIVE,
		needNone: PASSIVE,
	},
	{
		machine: 'a server with only port 21 open',
		policy: ['--role', 'server', '--open', '21/tcp'],
		isServer: true,
		needHelper: PASSIVE,
		needNone: ACTIVE,
	},
];

describe.each(mainly('nft'))('FTP, %s', (backend) => {
	describe.each(MACHINES)('with the firewall on $machine', (machine) => {
		const lab = useLab();
		let target: Host;
		let client: Host;
		let fetch: (mode: Mode) => Promise<RunResult>;

		beforeAll(async () => {
			const pair = await joinedPair(lab, backend);
			target = pair.target;
			client = machine.isServer ? pair.probe : pair.target;
			await startFtpServer(machine.isServer ? pair.target : pair.probe);
			const side = machine.isServer ? 'target' : 'probe';
			const server = {ipv4: INSIDE[side], ipv6: IPV6[side]};
			fetch = async (mode) => fetchFile(client, server[MODES[mode].address], mode);
		});

		test.each(machine.needHelper)(
			'works with the helper and fails without it: %s',
			async (mode) => {
				await wizardDoes(target, 'apply', ...machine.policy);
				const without = await fetch(mode);
				expect(without.status).not.toBe(0);
				expect(without.stdout).toBe('');
				await wizardDoes(target, 'apply', ...machine.policy, '--helper', 'ftp');
				expect(await fetch(mode)).toMatchObject({status: 0, stdout: CONTENT});
			},
		);

		test.each(machine.needNone)('works without the helper: %s', async (mode) => {
			await wizardDoes(target, 'apply', ...machine.policy);
			expect(await fetch(mode)).toMatchObject({status: 0, stdout: CONTENT});
		});
	});
});
