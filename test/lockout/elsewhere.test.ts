import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {runThere, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';

const FW_WIZARD = `${process.execPath} ${CLI}`;

describe.each(mainly('nft'))('a session that is not of ssh, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	let server: SshServer;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend, port: 2222});
	});

	test('of mosh: is found with the ports that it needs, and goes on under the rules', async () => {
		const {host, client, addresses} = server;
		const shell = `TERM=xterm LANG=C.UTF-8 mosh-server new -s -p 60007 -- ${FW_WIZARD} --role server --no-open`;
		const {stdout} = await runThere(server, shell);
		const [, port = '', key = ''] = /MOSH CONNECT (\d+) (\S+)/.exec(stdout) ?? [];
		expect(port).toBe('60007');
		const terminal = terminals.start(['mosh-client', addresses[0], port], {
			enter: client.enter,
			variables: {MOSH_KEY: key},
			columns: 120,
			rows: 40,
		});
		expect(await terminal.waitFor('Review this setup')).toContain('60000-61000/udp and 2222/tcp');
		await wizardDoes(host, 'apply', '--role', 'server', '--open', '60000-61000/udp,2222/tcp');
		terminal.press('enter');
		await terminal.waitFor('This is what changes');
	});

	test('at the console: no new login is asked for, and Enter keeps the rules', async () => {
		const {host} = server;
		// The terminal by another name, as the console of a machine bears one; in this view of it alone.
		const words = 'mount --bind "$(tty)" /dev/console && exec "$@" <>/dev/console >&0 2>&1';
		const terminal = terminals.start(
			[...['sh', '-c', words, 'sh', process.execPath, CLI], '--role', 'workstation'],
			{enter: host.enter, variables: host.variables, columns: 120, rows: 40},
		);
		await walkAndLoad(terminal, 'open');
		expect(terminal.screen()).toContain("You are at the machine's own console");
		expect(terminal.screen()).not.toMatch(/second terminal|type keep/);
		terminal.press('enter');
		await terminal.waitFor(/Confirmed as change \d+/);
	});
});
