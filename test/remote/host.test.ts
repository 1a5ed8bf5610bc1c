import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import * as z from 'zod';
import {SCHEMAS} from '../../source/commands/schema/outputs.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {type Laptop, makeLaptop} from '../_helpers/ssh/laptop.ts';
import {addUser, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';
import {walkAndLoad} from '../_helpers/terminal/walk.ts';

/** What is left of the program on the servers, which share the folder /tmp of this machine. */
const onServers = () => readdirSync('/tmp').filter((name) => name.startsWith('fw-wizard.'));
const PASSWORD = 'correct horse';

describe('from a laptop, fw-wizard --host', () => {
	const lab = useLab();
	const terminals = useTerminals();
	let [web, jump] = [] as unknown as [SshServer, SshServer];
	let laptop: Laptop;

	beforeAll(async () => {
		const client = await sshClient(lab);
		[web, jump] = [
			await sshServer(lab, client, {backend: 'nft', port: 2222}),
			await sshServer(lab, client, {backend: 'nft', number: 1}),
		];
		await lab.join(
			{host: web.host, device: 'eth1', addresses: ['10.9.51.1/24']},
			{host: jump.host, device: 'eth1', addresses: ['10.9.51.2/24']},
		);
		// What --install writes stays in the server's own view; its Node may have been in that folder.
		const own =
			'exec 3<"$0"; mount -t tmpfs fww-test /usr/local && mkdir /usr/local/bin && cat <&3 >/usr/local/bin/node && chmod 755 /usr/local/bin/node';
		await web.host.must('sh', ['-ec', own, process.execPath]);
		// Ann must give her password to sudo.
		await addUser(web.host);
		await web.host.must('chpasswd', [], {input: `ann:${PASSWORD}\n`});
		await web.host.must('sh', ['-c', 'cat >/etc/sudoers.d/ann'], {
			input: 'Defaults:ann timestamp_timeout=0, passwd_tries=1, lecture=never\nann ALL=(ALL) ALL\n',
		});
		laptop = await makeLaptop(client, {
			web: {HostName: web.addresses[0], Port: web.port, User: 'root'},
			inner: {HostName: '10.9.51.1', Port: web.port, User: 'ann', ProxyJump: 'jump'},
			jump: {HostName: jump.addresses[0], User: 'root'},
			gone: {HostName: '10.9.0.77', ConnectTimeout: 1},
		});
	});
	const expectNothingLeft = async () => {
		const left = () => [...onServers(), ...laptop.leftovers()];
		await vi.waitFor(() => expect(left()).toEqual([]), {timeout: 20_000, interval: 50});
	};

	test('runs a command, passes its exit code on, and leaves nothing', async () => {
		const {status, stdout, stderr} = await laptop.run('--host', 'web', 'status');
		expect({status, stderr}).toEqual({status: 1, stderr: ''});
		expect(stdout).toContain('Status: inactive');
		expect(stdout).toContain('--host web');
		await expectNothingLeft();
	});

	test('brings a policy file, and arguments as they are', async () => {
		const policy = path.join(laptop.client.folder, 'my "policy" $(id).json');
		writeFileSync(policy, '{"version": 1, "role": "server", "openings": ["2222/tcp", "80/tcp"]}');
		const rules = await laptop.run('rules', '--host', 'web', '--policy', policy);
		expect(rules).toMatchObject({status: 0, stdout: expect.stringMatching(/--dports? .*80/)});
		const opening = `80/tcp comment "it's $(touch /tmp/fw-wizard.bad) \\\\ \`id\` !"`;
		const words = ['--host', 'web', 'rules', '--role', 'server', '--open', opening];
		expect((await laptop.run(...words)).stdout).toContain(
			`--comment "it's \\$(touch /tmp/fw-wizard.bad) \\\\ \\\`id\\\` !"`,
		);
		await expectNothingLeft();
	});

	test('runs the wizard, which a second ssh from the laptop confirms', async () => {
		const flags = ['--role', 'server', '--open', '2222/tcp'];
		const terminal = laptop.open(terminals, ['--host', 'web', ...flags]);
		await walkAndLoad(terminal, 'open');
		// What the person types, not what the server sees.
		expect(terminal.screen()).toMatch(/^ *ssh web$/m);
		expect(terminal.screen().replaceAll(/\s+/g, ' ')).toContain('--host web confirm');
		await Promise.all([
			laptop.ssh('web', 'sleep 5'),
			terminal.waitFor(`New login from ${web.clients[0]} seen`),
		]);
		terminal.press('enter');
		await terminal.waitFor('Loaded and read back');
		expect((await readSaves(web.host)).ipv4).toContain('FW-WIZARD-INPUT');
		terminal.press('enter');
		expect(await terminal.ended).toBe(0);
		expect(readFileSync(inView(web.host, '/var/lib/fw-wizard/command'), 'utf8')).toMatch(
			/ --host web check\n$/,
		);
		await expectNothingLeft();
	});

	test('confirms by its own login, which shares no connection', async () => {
		const applying = await laptop.start(
			[...'--host web apply --role server --open 2222,8080/tcp --confirm-within 600'.split(' ')],
			/run in a second terminal: .* --host web confirm/,
		);
		expect(await laptop.run('--host', 'web', 'confirm')).toMatchObject({
			status: 0,
			stdout: expect.stringMatching(/^Confirmed change \d+/),
		});
		expect(await applying.ended).toBe(0);
		await expectNothingLeft();
	});

	test('leaves nothing where the cable is cut, of which nobody is told', async () => {
		// The kernel gives a silent client up after seconds, not a quarter of an hour (tcp(7)).
		await web.host.sysctl({'net.ipv4.tcp_retries2': 3});
		const before = await readSaves(web.host);
		const flags = ['--role', 'server', '--open', '2222,9000/tcp', '--confirm-within', '10'];
		const terminal = laptop.open(terminals, ['--host', 'web', ...flags]);
		// Home, since a policy is applied: its rules are changed.
		await walkAndLoad(terminal, 'open');
		expect(await readSaves(web.host)).not.toEqual(before);
		await laptop.client.ip(['link set to0 down']);
		await vi.waitFor(() => expect(onServers()).toEqual([]), {timeout: 40_000, interval: 100});
		await vi.waitFor(async () => expect(await readSaves(web.host)).toEqual(before), {
			timeout: 30_000,
			interval: 200,
		});
		process.kill(terminal.pid, 'SIGKILL');
		await terminal.ended;
		await laptop.client.ip(['link set to0 up']);
		await expectNothingLeft();
	}, 120_000);

	test('through a jump host, asks for the password of sudo on the terminal', async () => {
		const terminal = laptop.open(terminals, ['--host', 'inner', 'undo', '--list']);
		await terminal.waitFor(/password for ann: *$/);
		terminal.type(`${PASSWORD}\r`);
		expect(await terminal.ended).toBe(0);
		expect(terminal.screen()).toMatch(/^ +\d+ .* confirmed/m);
		await expectNothingLeft();
	});

	test('says that sudo refused, or could not ask, and not that a check failed', async () => {
		const terminal = laptop.open(terminals, ['--host', 'inner', 'check']);
		await terminal.waitFor(/password for ann: *$/);
		terminal.type('wrong\r');
		expect(await terminal.ended).toBe(3);
		expect(terminal.screen()).toContain('sudo refused on inner: a wrong password');
		expect(await laptop.run('--host', 'inner', 'check', '--json')).toMatchObject({
			status: 3,
			stdout: expect.stringContaining('"code": "not-root"'),
		});
		await expectNothingLeft();
	});

	test('asks several servers side by side, of which one cannot be reached', async () => {
		const hosts = ['web', 'gone', 'inner', 'jump'].flatMap((name) => ['--host', name]);
		const {status, stdout} = await laptop.run('status', ...hosts, '--json');
		expect(status).toBe(1);
		const rows = JSON.parse(stdout).hosts as ReadonlyArray<Readonly<Record<string, unknown>>>;
		expect(rows.map(({host, result}) => `${host} ${result}`)).toEqual([
			'web well',
			'gone unreachable',
			'inner failed',
			'jump differs',
		]);
		const schema = z.fromJSONSchema(z.toJSONSchema(SCHEMAS.hosts(), {io: 'output'}) as never);
		expect(schema.safeParse(JSON.parse(stdout)).error?.issues).toBeUndefined();
		const file = path.join(laptop.client.folder, 'hosts.json');
		writeFileSync(file, stdout);
		const fleet = await laptop.run('report', '--fleet', file, '--json');
		expect(fleet.status).toBe(1);
		expect(JSON.parse(fleet.stdout).hosts).toHaveLength(4);
		const plain = await laptop.run('--host', 'web', '--host', 'jump', 'status');
		expect(plain).toMatchObject({
			status: 1,
			stdout: expect.stringMatching(
				/^web {3}well {9}active, 2 openings\njump {2}differs {6}inactive\n$/,
			),
		});
		await expectNothingLeft();
	});

	test('installs itself where that is wanted, and undo --all removes it', async () => {
		const {status, stderr} = await laptop.run('--host', 'web', '--install', 'status');
		expect({status, stderr}).toEqual({status: 0, stderr: ''});
		const version = await web.host.must('/usr/local/bin/fw-wizard', ['--version']);
		expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
		expect(await web.host.must('fw-wizard', ['status'])).toContain('Status: active');
		expect(await laptop.run('--host', 'web', 'undo', '--all')).toMatchObject({status: 0});
		expect(await web.host.run('ls', ['-d', '/usr/local/lib/fw-wizard'])).toMatchObject({status: 2});
		expect(await web.host.run('ls', ['/usr/local/bin/fw-wizard'])).toMatchObject({status: 2});
		await expectNothingLeft();
	});
});
