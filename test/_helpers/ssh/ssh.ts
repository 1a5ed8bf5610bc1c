import {copyFileSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {RunResult} from '../../../source/host/exec/run.ts';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import type {Host, Lab} from '../lab/namespaces.ts';
import type {Terminal, Terminals} from '../terminal/terminal.ts';

/** A machine with a real sshd, and the client that is joined to it by a cable of its own. */
export type SshServer = {
	readonly host: Host;
	readonly client: Host;
	/** Where the client reaches it, one address a family. */
	readonly addresses: readonly [ipv4: string, ipv6: string];
	/** Whence the client comes, in the same order. */
	readonly clients: readonly [ipv4: string, ipv6: string];
	readonly port: number;
};

type SshServerOptions = {
	readonly backend: Backend;
	readonly port?: number;
	/** The networks of the cable: no two servers of one client may have the same. */
	readonly number?: number;
	readonly replaced?: Readonly<Record<string, string>>;
};

/** The machine that the logins come from. It has one key for itself, and one for all of its servers. */
export async function sshClient(lab: Lab): Promise<Host> {
	const client = await lab.host();
	for (const name of ['key', 'server-key']) {
		const file = path.join(client.folder, name);
		await client.must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file]);
	}

	return client;
}

/** Starts a server beside a client. Both families, login by key only. */
export async function sshServer(
	lab: Lab,
	client: Host,
	{backend, port = 22, number = 0, replaced = {}}: SshServerOptions,
): Promise<SshServer> {
	const host = await lab.host({backend, replaced});
	const subnet = {ipv4: `10.9.${number}`, ipv6: `fd00:9:${(number + 1).toString(16)}:`};
	const ends = {
		server: [`${subnet.ipv4}.1`, `${subnet.ipv6}:1`],
		client: [`${subnet.ipv4}.2`, `${subnet.ipv6}:2`],
	} as const;
	const withPrefix = ([ipv4, ipv6]: readonly [string, string]) => [`${ipv4}/24`, `${ipv6}/64`];
	await lab.join(
		{host, device: 'eth0', addresses: withPrefix(ends.server)},
		{host: client, device: `to${number}`, addresses: withPrefix(ends.client)},
	);
	await host.sysctl({'net.ipv4.icmp_ratelimit': 0, 'net.ipv6.icmp.ratelimit': 0});
	await startSshd(host, client, port);
	return {host, client, addresses: ends.server, clients: ends.client, port};
}

export type LoginOptions = {
	readonly user?: string;
	/** 4 or 6. */
	readonly over?: 4 | 6;
	/** Asks for a pseudo-terminal on the server. */
	readonly terminal?: boolean;
};

/** The words that log in to a server, from the machine of its client, and run a command there. */
export function loginWords(
	{client, addresses, port}: SshServer,
	command: string,
	{user = 'root', over = 4, terminal = false}: LoginOptions = {},
): readonly string[] {
	const settings = [
		'UserKnownHostsFile=/dev/null',
		'StrictHostKeyChecking=no',
		'LogLevel=ERROR',
		'BatchMode=yes',
		'IdentitiesOnly=yes',
		'ConnectTimeout=2',
		'EscapeChar=none',
		// The post-quantum exchange that OpenSSH prefers takes a fifth of a whole test's processor time.
		'KexAlgorithms=curve25519-sha256',
	];
	return [
		...['ssh', '-F', 'none', '-i', path.join(client.folder, 'key'), '-p', `${port}`],
		...settings.flatMap((setting) => ['-o', setting]),
		terminal ? '-tt' : '-T',
		`${user}@${addresses[over === 4 ? 0 : 1]}`,
		command,
	];
}

/** Logs in with a terminal of its own, and runs a command there. */
export function logIn(
	terminals: Terminals,
	server: SshServer,
	command: string,
	options: LoginOptions = {},
): Terminal {
	return terminals.start(loginWords(server, command, {...options, terminal: true}), {
		enter: server.client.enter,
		columns: 120,
		rows: 40,
	});
}

/** Logs in without a terminal, and runs a command there to its end. */
export async function runThere(
	server: SshServer,
	command: string,
	options: LoginOptions = {},
): Promise<RunResult> {
	const [program = '', ...args] = loginWords(server, command, options);
	return server.client.run(program, args);
}

/** Whether a new login gets in, over one family. */
export async function canLogIn(server: SshServer, over: 4 | 6): Promise<boolean> {
	const {status, stdout} = await runThere(server, 'echo here', {over});
	return status === 0 && stdout === 'here\n';
}

/** Ann may log in, and become root by sudo without being asked. */
export async function addUser(host: Host): Promise<void> {
	const home = path.join(host.folder, 'ann');
	await host.must('useradd', ['--create-home', '--home-dir', home, '--shell', '/bin/bash', 'ann']);
	// Not locked, so that sshd takes the key.
	await host.must('usermod', ['--password', '*', 'ann']);
	const rule = path.join(host.folder, 'sudoers');
	writeFileSync(rule, 'ann ALL=(ALL) NOPASSWD: ALL\n');
	await host.must('install', ['-m', '440', rule, '/etc/sudoers.d/ann']);
	await host.must('install', ['-d', '-m', '777', '/run/screen']);
}

async function startSshd(host: Host, client: Host, port: number): Promise<void> {
	// What sshd notes of logins, and the lock of iptables, stay in the machine's own view.
	for (const folder of ['/run', '/var/log']) {
		await host.must('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'fww-test', folder]);
	}

	await host.must('mkdir', ['/run/sshd', '/run/lock']);
	await host.must('touch', ['/run/utmp', '/var/log/wtmp', '/var/log/lastlog']);
	// A bare root, without the start-up files of whoever runs the tests.
	const own = path.join(host.folder, 'ssh');
	mkdirSync(own);
	await host.must('sed', ['-i', `s|^root:.*|root:x:0:0:root:${own}:/bin/bash|`, '/etc/passwd']);
	copyFileSync(path.join(client.folder, 'key.pub'), path.join(own, 'authorized_keys'));
	// Other users' keys are read with their rights.
	await host.must('chmod', ['755', host.folder, own]);
	const settings = [
		`Port ${port}`,
		`HostKey ${path.join(client.folder, 'server-key')}`,
		`AuthorizedKeysFile ${own}/authorized_keys`,
		'StrictModes no',
		'UsePAM no',
		'PermitRootLogin yes',
		'PasswordAuthentication no',
		'KbdInteractiveAuthentication no',
		'PidFile none',
		'PrintMotd no',
		'PrintLastLog no',
		'UseDNS no',
		'MaxStartups 100',
	];
	writeFileSync(path.join(own, 'sshd_config'), `${settings.join('\n')}\n`);
	await host.start(
		'/usr/sbin/sshd',
		['-D', '-e', '-f', path.join(own, 'sshd_config')],
		/Server listening on :: port \d+/,
	);
}
