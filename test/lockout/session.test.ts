import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {addUser, logIn, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {type Terminal, useTerminals} from '../_helpers/terminal/terminal.ts';

const FW_WIZARD = `${process.execPath} ${CLI}`;
const TMUX = 'tmux -f /dev/null -S ~/tmux';
const SCREEN = 'screen -c /dev/null';

/** Ways from a login to a wizard that runs as root. */
const INIT_SYSTEMS = [
	{initSystem: 'root', user: 'root', command: FW_WIZARD},
	{initSystem: 'su', user: 'root', command: `su ann -c "sudo ${FW_WIZARD}"`},
	{initSystem: 'su -', user: 'root', command: `su - -c "${FW_WIZARD}"`},
	{initSystem: 'sudo', user: 'ann', command: `sudo ${FW_WIZARD}`},
	{initSystem: 'sudo -i', user: 'ann', command: `sudo -i ${FW_WIZARD}`},
	{
		initSystem: 'sudo without environment',
		user: 'ann',
		command: `sudo env -i TERM=xterm ${FW_WIZARD}`,
	},
	{initSystem: 'tmux', user: 'root', command: `${TMUX} new-session "${FW_WIZARD}"`},
	{initSystem: 'sudo in tmux', user: 'ann', command: `${TMUX} new-session "sudo ${FW_WIZARD}"`},
	{
		initSystem: 'tmux in sudo',
		user: 'ann',
		command: `sudo ${TMUX}-of-root new-session "${FW_WIZARD}"`,
	},
	{initSystem: 'screen', user: 'root', command: `${SCREEN} ${FW_WIZARD}`},
	{initSystem: 'sudo in screen', user: 'ann', command: `${SCREEN} sudo ${FW_WIZARD}`},
] as const;

describe.each([
	{port: 22, over: 4},
	{port: 2222, over: 6},
] as const)('the session in use, sshd on port $port over IPv$over', ({port, over}) => {
	const lab = useLab();
	const terminals = useTerminals();
	let client: Host;
	let server: SshServer;

	beforeAll(async () => {
		client = await sshClient(lab);
		server = await sshServer(lab, client, {backend: 'nft', port});
		await addUser(server.host);
	});

	test.each(INIT_SYSTEMS)('is found as $user by way of $way', async ({user, command}) => {
		const terminal = logIn(terminals, server, command, {user, over});
		await said(terminal, server.clients[over === 4 ? 0 : 1], port);
	});

	test.each([
		{
			name: 'tmux',
			leave: `${TMUX} new-session -d 'read -r line; exec ${FW_WIZARD}'`,
			comeBack: `${TMUX} attach`,
		},
		{
			name: 'screen',
			leave: `${SCREEN} -dm sh -c 'read -r line; exec ${FW_WIZARD}'; until screen -ls; do sleep 0.1; done`,
			comeBack: 'screen -r',
		},
	])('is the one that came back to $name, not the one that began it', async ({leave, comeBack}) => {
		const first = logIn(terminals, server, leave, {over: over === 4 ? 6 : 4});
		expect(await first.ended).toBe(0);
		const second = logIn(terminals, server, comeBack, {over});
		await second.waitFor(() => second.buffer() === 'alternate' || second.output().length > 20);
		second.press('enter');
		await said(second, server.clients[over === 4 ? 0 : 1], port);
	});

	test('is found without root being the client of another user of tmux', async () => {
		const {host, clients} = server;
		// A server of tmux makes its clients write files.
		const [real, log] = ['tmux-real', 'asked-by'].map((name) => path.join(host.folder, name));
		const wrapper = path.join(host.folder, 'tmux');
		writeFileSync(wrapper, `#!/bin/sh\nid -un >>${log}\nexec ${real} "$@"\n`, {mode: 0o755});
		const install = `cp /usr/bin/tmux ${real}; : >${log}; chmod 666 ${log}; mount --bind ${wrapper} /usr/bin/tmux`;
		await host.must('sh', ['-ec', install]);
		const command = `tmux -f /dev/null -S ~/tmux-asked new-session "sudo ${FW_WIZARD}"`;
		const terminal = logIn(terminals, server, command, {user: 'ann', over});
		await said(terminal, clients[over === 4 ? 0 : 1], port);
		await host.must('umount', ['/usr/bin/tmux']);
		expect(await host.must('cat', [log ?? ''])).toBe('ann\nann\n');
	});

	test('is not that of another user of screen', async () => {
		const other = logIn(terminals, server, `${SCREEN} sh -c 'echo here; read -r line'`, {
			over: over === 4 ? 6 : 4,
		});
		await other.waitFor('here');
		const own = logIn(terminals, server, `${SCREEN} ${FW_WIZARD}`, {over});
		await said(own, server.clients[over === 4 ? 0 : 1], port);
	});
});

/** What the first line says of the session. */
async function said(terminal: Terminal, client: string, port: number): Promise<void> {
	await terminal.waitFor(`from ${client} (${port}/tcp)`);
	terminal.press('ctrlC');
	expect(await terminal.ended).toBeGreaterThanOrEqual(0);
}
