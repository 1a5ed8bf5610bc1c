import {readFileSync, writeFileSync} from 'node:fs';
import process from 'node:process';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI, wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {connect, INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {inView} from '../_helpers/lab/view-files.ts';
import {readSaves} from '../_helpers/samples/saves.ts';
import {logIn, runThere, type SshServer, sshClient, sshServer} from '../_helpers/ssh/ssh.ts';
import {useTerminals} from '../_helpers/terminal/terminal.ts';

const FW_WIZARD = `${process.execPath} ${CLI}`;

const SERVER = ['--role', 'server', '--open', '22/tcp', '--open', '8000-8010/tcp'];

describe.each(mainly('nft'))('open and close, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await serve(target, ...[22, 8005, 8080, 9100].map((port) => `tcp:${port}`));
	});

	test('say what to do where no policy was applied', async () => {
		const {status, stderr} = await wizard(target, 'open', '8080/tcp');
		expect(status).toBe(2);
		expect(stderr).toContain('No policy was applied yet');
		expect(await target.must('iptables-save', [])).not.toContain('FW-WIZARD');
	});

	test('open a port and close it, at once, with the rules and packets that show it', async () => {
		await wizardDoes(target, 'apply', ...SERVER);
		const before = await readSaves(target);
		expect(await connect(probe, INSIDE.target, 8080)).toBe('refused');
		const opened = await wizardDoes(target, 'open', '8080/tcp');
		expect(opened).toMatch(/^\+ IPv4, IPv6: -A FW-WIZARD-INPUT .*8080 -j ACCEPT$/m);
		expect(opened).toMatch(/^Proven by \d+ packets to ports 8079-8081 in /m);
		expect(opened).toMatch(/8080\/tcp is open\. Change 2; to undo it: node \S+ undo/);
		for (const address of [INSIDE.target, IPV6.target]) {
			expect(await connect(probe, address, 8080)).toBe('succeeded');
		}

		const closed = await wizardDoes(target, 'close', '8080');
		expect(closed).toContain('8080/tcp is closed.');
		expect(await connect(probe, IPV6.target, 8080)).toBe('refused');
		expect(await readSaves(target)).toEqual(before);
	});

	test('cut a port out of a range, and change the sources of another', async () => {
		await wizardDoes(target, 'close', '8005/tcp');
		expect(await connect(probe, INSIDE.target, 8005)).toBe('refused');
		await wizardDoes(target, 'open', '9100/tcp', 'from', '10.0.0.0/8,', '192.0.2.0/24');
		expect(await connect(probe, INSIDE.target, 9100)).toBe('succeeded');
		expect(await connect(probe, OUTSIDE.target, 9100)).toBe('refused');
		await wizardDoes(target, 'close', '9100 from 10.0.0.0/8');
		expect(await connect(probe, INSIDE.target, 9100)).toBe('refused');
		const policy = JSON.parse(await target.must('cat', ['/etc/fw-wizard/policy.json']));
		expect(policy.openings).toEqual([
			'22/tcp',
			'8000-8004/tcp',
			'8006-8010/tcp',
			'9100/tcp from 192.0.2.0/24',
		]);
		await wizardDoes(target, 'undo', '--to', '4');
	});

	test('narrow what is open, as a change that closes something', async () => {
		await wizardDoes(target, 'open', '8080/tcp');
		expect(await connect(probe, OUTSIDE.target, 8080)).toBe('succeeded');
		const said = await wizardDoes(target, 'open', '8080/tcp from 10.0.0.0/8');
		expect(said).toContain('That narrows what is open now: the rest of 8080/tcp closes.');
		expect(said).toMatch(/^- IPv4, IPv6: .*8080 -j ACCEPT$/m);
		expect(said).toContain(
			'8080/tcp from 10.0.0.0/8 is open, and the rest of 8080/tcp is closed. Change ',
		);
		expect(await connect(probe, OUTSIDE.target, 8080)).toBe('refused');
		expect(await connect(probe, INSIDE.target, 8080)).toBe('succeeded');
		await wizardDoes(target, 'close', '8080/tcp', '--no-proof');
	});

	test('refuse what closes nothing, and say where nothing changes', async () => {
		const before = await readSaves(target);
		const {status, stderr} = await wizard(target, 'close', '9999/tcp');
		expect([status, stderr]).toEqual([2, expect.stringContaining('does not open 9999/tcp')]);
		expect(await wizardDoes(target, 'open', '8002/tcp')).toContain('Nothing changes');
		expect((await wizard(target, 'close', '22/tcp from 10.0.0.0/8')).status).toBe(2);
		expect(await readSaves(target)).toEqual(before);
	});

	test('refuse what another rule hinders, unless told not to prove it', async () => {
		await target.must('iptables', ['-I', 'INPUT', '-p', 'tcp', '--dport', '8080', '-j', 'DROP']);
		const {status, stderr} = await wizard(target, 'open', '8080/tcp');
		expect(status).toBe(1);
		expect(stderr).toContain('8080/tcp is closed from anywhere over IPv4');
		expect(await connect(probe, IPV6.target, 8080)).toBe('refused');
		await wizardDoes(target, 'open', '8081/tcp');
		await wizardDoes(target, 'open', '8080/tcp', '--no-proof');
		expect(await connect(probe, IPV6.target, 8080)).toBe('succeeded');
		await target.must('iptables', ['-D', 'INPUT', '-p', 'tcp', '--dport', '8080', '-j', 'DROP']);
		await wizardDoes(target, 'close', '8080-8081/tcp', '--full');
	});

	test('tell systemd nothing that it knows, and all of it where a link is missing', async () => {
		const log = inView(target, '/etc/systemctl-log');
		writeFileSync(log, '');
		await target.must('cp', ['--no-clobber', '/usr/bin/systemctl', '/etc/systemctl-real']);
		writeFileSync(
			inView(target, '/etc/systemctl'),
			'#!/bin/sh\necho "$@" >>/etc/systemctl-log\nexec /etc/systemctl-real "$@"\n',
			{mode: 0o755},
		);
		await target.must('mount', ['--bind', '/etc/systemctl', '/usr/bin/systemctl']);
		try {
			await wizardDoes(target, 'open', '8080/tcp', '--no-proof');
			const said = readFileSync(log, 'utf8');
			expect(said).toContain('--quiet --no-block start fw-wizard.service fw-wizard-watch.timer\n');
			expect(said).not.toContain('--quiet enable');
			const link = '/etc/systemd/system/timers.target.wants/fw-wizard-watch.timer';
			await target.must('rm', [link]);
			await wizardDoes(target, 'close', '8080/tcp', '--no-proof');
			expect(readFileSync(log, 'utf8')).toMatch(/--quiet enable fw-wizard-watch.service/);
			await target.must('test', ['-e', link]);
		} finally {
			await target.must('umount', ['/usr/bin/systemctl']);
		}
	});

	test('print JSON', async () => {
		const {proof, ...opened} = JSON.parse(await wizardDoes(target, 'open', '53', '--json'));
		expect(opened).toMatchObject({applied: true, opened: ['53']});
		expect(opened.rules.added.length + opened.rules.removed.length).toBeGreaterThan(0);
		expect(proof.packets).toBeGreaterThan(0);
		expect(
			JSON.parse(await wizardDoes(target, 'close', 'dns', '--json', '--no-proof')),
		).toMatchObject({
			...{applied: true, closed: ['53'], proof: null},
		});
	});

	test('are done whole where nobody reads what they print', async () => {
		const piped = `node ${CLI} open 9300/tcp --no-proof | true; echo "\${PIPESTATUS[0]}"`;
		const {status, stdout, stderr} = await target.run('bash', ['-c', piped]);
		expect({status, stdout, stderr}).toEqual({status: 0, stdout: '0\n', stderr: ''});
		expect(await target.must('ip6tables-save', [])).toMatch(/ (?:\S+,)?9300(?:,\S+)? -j ACCEPT$/m);
		expect((await readSaves(target)).ipv4).toContain('9300');
	});
});

describe.each(mainly('legacy'))('close over ssh, %s', (backend) => {
	const lab = useLab();
	const terminals = useTerminals();
	let server: SshServer;

	beforeAll(async () => {
		server = await sshServer(lab, await sshClient(lab), {backend});
		await wizardDoes(server.host, 'apply', ...SERVER);
	});

	test('keeps at once what cannot end the session', async () => {
		const {status, stdout} = await runThere(server, `${FW_WIZARD} close 8001/tcp`);
		expect([status, stdout]).toEqual([0, expect.stringContaining('8001/tcp is closed. Change 2')]);
	});

	test('waits for a new login where the port of the session is closed, and is rolled back', async () => {
		const before = await readSaves(server.host);
		const flags = 'close 22/tcp --confirm-within 10';
		const terminal = logIn(terminals, server, `${FW_WIZARD} ${flags}`);
		await terminal.waitFor(/The old rules are restored in 10 s/);
		expect(await terminal.ended).toBe(4);
		await vi.waitFor(async () => expect(await readSaves(server.host)).toEqual(before), 30_000);
		expect(await runThere(server, `${FW_WIZARD} close 22/tcp --yes`)).toMatchObject({
			...{status: 2, stderr: expect.stringContaining('22/tcp')},
		});
		expect(await readSaves(server.host)).toEqual(before);
	});

	test('and what is opened waits as well where the session would be lost: the rules are gone', async () => {
		await wizardDoes(server.host, 'apply', '--role', 'server', '--open', '8001/tcp');
		for (const program of ['iptables', 'ip6tables']) {
			await server.host.must(program, ['-D', 'INPUT', '-j', 'FW-WIZARD-INPUT']);
		}

		const flags = 'open 8002/tcp --no-proof --confirm-within 10';
		const terminal = logIn(terminals, server, `${FW_WIZARD} ${flags}`);
		await terminal.waitFor(/The old rules are restored in 10 s/);
		expect(await terminal.ended).toBe(4);
	});

	test('is not lost, nor loses anything, beside another change', async () => {
		const results = await Promise.all(
			['9001/tcp', '9002/tcp', '9003/tcp'].map(async (port) =>
				wizard(server.host, 'open', port, '--no-proof'),
			),
		);
		const policy = await server.host.must('cat', ['/etc/fw-wizard/policy.json']);
		for (const [index, {status, stderr}] of results.entries()) {
			expect([0, 3]).toContain(status);
			expect(policy.includes(`900${index + 1}/tcp`), stderr).toBe(status === 0);
		}
	});
});
