import process from 'node:process';
import {beforeAll, describe, expect, test} from 'vitest';
import {CLI} from '../_helpers/lab/cli.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {logIn, runThere, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

const PROGRAM = `${process.execPath} ${CLI}`;
const LABELS = {server: 'Server', workstation: 'Workstation'} as const;

describe('the role that is recommended on a machine with sshd alone', () => {
	const lab = useLab();
	const terminals = useTerminals();
	let server: SshServer;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend: 'nft'});
	});

	test('is a server over SSH, to the facts and to the wizard alike', async () => {
		const {stdout} = await runThere(server, `${PROGRAM} facts --json`);
		const {session, recommended} = JSON.parse(stdout);
		expect(session).toMatchObject({kind: 'remote', client: server.clients[0]});
		expect(recommended).toEqual({
			role: 'server',
			reason: 'you came in through 22/tcp, and want to log in again',
		});
		const wizard = logIn(terminals, server, PROGRAM);
		await wizard.waitFor(sentenceOf(recommended));
	});

	test('is a workstation from elsewhere, to the facts and to the wizard alike', async () => {
		const {host} = server;
		const {session, recommended} = JSON.parse(
			await host.must('setsid', ['-w', ...PROGRAM.split(' '), 'facts', '--json']),
		);
		expect(session.kind).not.toBe('remote');
		expect(recommended).toMatchObject({role: 'workstation'});
		const wizard = terminals.start(PROGRAM.split(' '), {enter: host.enter, columns: 120, rows: 30});
		await wizard.waitFor(sentenceOf(recommended));
	});

	function sentenceOf({role, reason}: {role: keyof typeof LABELS; reason: string}): RegExp {
		return new RegExp(`^  Role +${LABELS[role]} +${reason}`, 'm');
	}
});
