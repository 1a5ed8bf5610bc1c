import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {canLogIn, runThere, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';

const FW_WIZARD = `${process.execPath} ${CLI}`;

describe.each(BACKENDS)('undo over ssh, %s', (backend) => {
	const lab = useLab();
	let server: SshServer;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend});
		const flags = ['--no-helper', '--role'];
		await wizardDoes(server.host, 'apply', ...flags, 'workstation', '--no-open');
		await wizardDoes(server.host, 'apply', ...flags, 'server', '--open', '22/tcp');
		await wizardDoes(server.host, 'apply', ...flags, 'server', '--open', '22/tcp,80/tcp');
	});

	test('goes back to rules that let this session in again', async () => {
		expect(await runThere(server, `${FW_WIZARD} undo`)).toMatchObject({status: 0});
		expect(await canLogIn(server, 4)).toBe(true);
	});

	test('and not to those that shut its door, unless it is told to', async () => {
		const before = await readSaves(server.host);
		const {status, stderr} = await runThere(server, `${FW_WIZARD} undo`);
		expect({status, stderr}).toEqual({
			status: 1,
			stderr: expect.stringMatching(
				/^fw-wizard: The earlier rules block 22\/tcp, through which you are connected\nNothing was changed. To put them back all the same: .* undo --yes\n$/,
			),
		});
		expect(await readSaves(server.host)).toEqual(before);
		expect(await runThere(server, `${FW_WIZARD} undo --yes`)).toMatchObject({status: 0});
		expect(await canLogIn(server, 4)).toBe(false);
	});
});
