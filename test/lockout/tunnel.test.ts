import process from 'node:process';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {CLI, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {byWireGuard, FW_WIZARD, runBy, startBy, type Way} from './logins.ts';

const ONLY_SSH = '--role server --open 22/tcp';
const WAIT = {timeout: 20_000, interval: 50};

describe('a login through a tunnel of WireGuard needs its UDP port as well', () => {
	const lab = useLab();
	let server: SshServer;
	let way: Way;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend: 'nft'});
		way = await byWireGuard(server);
	});

	const applyOver = async (flags: string) => {
		const [program = '', ...args] = way.words(`${FW_WIZARD} apply ${flags} --confirm-within 600`);
		return server.client.start(program, args, /The old rules are restored/);
	};
	const forgetFlows = async () => server.host.must('conntrack', ['-F']);

	test('closed, the new login does not confirm', async () => {
		const applying = await applyOver(ONLY_SSH);
		expect(applying.output()).toContain(
			'These rules block 51820/udp (tunnel wg0), through which you (10.99.0.2) are connected',
		);
		const login = await startBy(way, 'echo in; exec cat', /in/);
		const blocked = 'The new rules block 51820/udp (tunnel wg0), through which this login comes';
		await vi.waitFor(
			() => expect(applying.output()).toContain(`A login was seen. ${blocked}`),
			WAIT,
		);
		const refused = await runBy(way, `${FW_WIZARD} confirm`);
		expect(refused).toMatchObject({status: 1, stderr: expect.stringContaining(blocked)});
		await login.stop();
		await wizardDoes(server.host, 'undo', '--all');
		expect(await applying.ended).toBe(4);
	});

	test.each([
		{what: 'its port is open', flags: `${ONLY_SSH} --open 51820/udp`, keepalive: 'off'},
		{
			what: 'its port is open to its other end',
			flags: `${ONLY_SSH} --open '51820/udp from CLIENT'`,
			keepalive: 'off',
		},
		{what: 'this machine keeps the flow open by itself', flags: ONLY_SSH, keepalive: '1'},
	])('confirms, and stays possible without the flow, where $what', async ({flags, keepalive}) => {
		const set = `wg set wg0 peer "$(wg show wg0 peers)" persistent-keepalive ${keepalive}`;
		await server.host.must('sh', ['-ec', set]);
		await runBy(way, 'true');
		const applying = await applyOver(flags.replace('CLIENT', server.clients[0]));
		expect(applying.output()).not.toContain('These rules block');
		await forgetFlows();
		expect(await runBy(way, `${FW_WIZARD} confirm`)).toMatchObject({status: 0});
		expect(await applying.ended).toBe(0);
		await wizardDoes(server.host, 'undo', '--all');
	});
});

describe('the ports of the tunnel that a session comes through', () => {
	const lab = useLab();
	let host: Host;

	beforeAll(async () => {
		host = await lab.host();
	});

	/** The session of one whose login from 10.98.0.2 is not there any more. */
	const sessionOf = async () => {
		const login = 'SSH_CONNECTION=10.98.0.2 40000 10.98.0.1 22';
		const text = await host.must('env', [login, process.execPath, CLI, 'facts', '--json']);
		return JSON.parse(text).session;
	};
	const SSH = {protocol: 'tcp', first: 22, last: 22};

	const DEVICE = 'TUN:10.98.0.1/24,tun-name=tun7,iff-up';

	test.each([
		{
			words: ['-u', 'UDP-RECV:1194', DEVICE],
			session: {doors: [SSH, {protocol: 'udp', first: 1194, last: 1194, tunnel: 'tun7'}]},
		},
		{
			words: [DEVICE, 'TCP-LISTEN:443,reuseaddr'],
			session: {doors: [SSH, {protocol: 'tcp', first: 443, last: 443, tunnel: 'tun7'}]},
		},
		// A client, which dials.
		{words: [DEVICE, 'UDP:10.98.0.9:1194'], session: {doors: [SSH], dialled: 'tun7'}},
	])(
		'are those at which the program with the tun device waits: $words',
		async ({words, session}) => {
			const driver = await host.start('socat', ['-dd', ...words], /listening|starting|TUN/);
			await vi.waitFor(async () => expect(await sessionOf()).toMatchObject(session), WAIT);
			await driver.stop();
		},
	);

	test('are those of IKE where IPsec carries it', async () => {
		const [here, peer] = ['198.51.100.1', '203.0.113.7'];
		await host.ip([
			'link add d0 type veth peer name d1',
			'address add 10.98.0.1/24 dev d0',
			`address add ${here}/24 dev d0`,
			'link set d0 up',
			'link set d1 up',
			`xfrm policy add src 10.98.0.2/32 dst 10.98.0.1/32 dir in tmpl src ${peer} dst ${here} proto esp mode tunnel`,
		]);
		const ike = {protocol: 'udp', first: 500, last: 500, tunnel: 'IPsec', peer};
		expect((await sessionOf()).doors).toEqual([SSH, ike]);
	});
});
