import {copyFileSync, mkdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {RunResult} from '../../source/host/exec/run.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import type {Host, Lab} from '../_helpers/lab/namespaces.ts';
import type {Server} from '../_helpers/lab/programs.ts';
import {type LoginOptions, loginWords, type SshServer, sshServer} from '../_helpers/ssh/ssh.ts';

export const FW_WIZARD = `${process.execPath} ${CLI}`;
/** Where dropbear and the servers of ordinary users listen. */
export const OTHER_PORT = 2222;
/** Where a container's server listens, in the network of the machine. */
export const CONTAINER_PORT = 2223;
const OPEN = [22, OTHER_PORT, CONTAINER_PORT]
	.map((port) => `--open ${port}/tcp`)
	.concat('--role server --open 60001/udp --open 51820/udp')
	.join(' ');

/** A way to log in: the words that run a command at its other end. */
export type Way = {
	readonly client: Host;
	readonly words: (command: string, terminal?: boolean) => readonly string[];
};

export function bySsh(server: SshServer, options: LoginOptions = {}): Way {
	return {
		client: server.client,
		words: (command, terminal = false) => loginWords(server, command, {...options, terminal}),
	};
}

/** With more options of ssh(1). */
export function withOptions({client, words}: Way, ...options: readonly string[]): Way {
	return {
		client,
		words(command, terminal) {
			const [ssh = '', ...rest] = words(command, terminal);
			return [ssh, ...options.flatMap((option) => ['-o', option]), ...rest];
		},
	};
}

/** Applies over a login, and returns when it waits for the confirmation. */
export async function applyBy({client, words}: Way): Promise<Server> {
	const [program = '', ...args] = words(`${FW_WIZARD} apply ${OPEN} --confirm-within 600`);
	return client.start(program, args, /The old rules are restored/);
}

export async function runBy({client, words}: Way, command: string): Promise<RunResult> {
	const [program = '', ...args] = words(command);
	return client.run(program, args);
}

/** Over another machine, which has a key for the server. */
export async function byJumpHost(lab: Lab, server: SshServer): Promise<Way> {
	const jump = await sshServer(lab, server.client, {backend: 'nft', number: 50});
	await lab.join(
		{host: server.host, device: 'eth50', addresses: ['10.9.51.1/24']},
		{host: jump.host, device: 'eth50', addresses: ['10.9.51.2/24']},
	);
	const behind = {...server, addresses: ['10.9.51.1', server.addresses[1]]} as const;
	const proxy = loginWords(jump, '').slice(0, -2);
	const target = proxy.filter((word) => word !== '-T');
	return withOptions(
		bySsh(behind),
		`ProxyCommand=${[...target, '-W', '%h:%p', `root@${jump.addresses[0]}`].join(' ')}`,
	);
}

/** Over link-local addresses, which a client gives with its interface. */
export async function byLinkLocal(server: SshServer): Promise<Way> {
	// Both must have gone through duplicate address detection (RFC 4862).
	const [address] = await Promise.all([
		linkLocalOf(server.host, 'eth0'),
		linkLocalOf(server.client, 'to0'),
	]);
	return bySsh({...server, addresses: ['', `${address}%to0`]}, {over: 6});
}

async function linkLocalOf(host: Host, device: string): Promise<string> {
	const show = `until ip -6 -o addr show dev ${device} scope link -tentative | grep fe80; do sleep 0.1; done`;
	return /inet6 (fe80:[^/]+)/.exec(await host.must('sh', ['-c', show]))?.[1] ?? '';
}

/** Through a tunnel of WireGuard, by wireguard-go(1): no kernel module is needed. */
export async function byWireGuard(server: SshServer): Promise<Way> {
	const [here, there] = [server.host, server.client];
	const ends = [
		{host: here, address: '10.99.0.1', endpoint: server.addresses[0]},
		{host: there, address: '10.99.0.2', endpoint: server.clients[0]},
	] as const;
	const keys = await Promise.all(ends.map(async () => (await here.must('wg', ['genkey'])).trim()));
	const publicKeys = await Promise.all(
		keys.map(async (key) => (await here.must('wg', ['pubkey'], {input: key})).trim()),
	);
	// It listens to wg(8) in /run/wireguard; the server has a /run of its own already.
	await there.must('mount', ['-t', 'tmpfs', 'fww-test', '/run']);
	for (const [index, {host, address}] of ends.entries()) {
		const other = ends[1 - index];
		const name = `wg${index}`;
		const start = ['LOG_LEVEL=verbose', 'wireguard-go', '-f', name];
		await host.start('env', start, /UAPI listener started/);
		const settings = [
			'[Interface]',
			`PrivateKey = ${keys[index]}`,
			'ListenPort = 51820',
			'[Peer]',
			`PublicKey = ${publicKeys[1 - index]}`,
			`Endpoint = ${other?.endpoint}:51820`,
			`AllowedIPs = ${other?.address}/32`,
		];
		await host.must('sh', ['-c', `cat >/run/wg.conf && wg setconf ${name} /run/wg.conf`], {
			input: `${settings.join('\n')}\n`,
		});
		await host.ip([`address add ${address}/24 dev ${name}`, `link set ${name} up`]);
	}

	return bySsh({...server, addresses: ['10.99.0.1', '']});
}

/**
 * Through dropbear(8), which serves a login by one process that stays root's.
 * @param enter the words that put it elsewhere
 */
export async function byDropbear(
	server: SshServer,
	port: number = OTHER_PORT,
	...enter: readonly string[]
): Promise<Way> {
	const {host, client} = server;
	const [home, key] = [path.join(host.folder, 'ssh'), path.join(host.folder, 'dropbear-key')];
	mkdirSync(path.join(home, '.ssh'), {mode: 0o700});
	copyFileSync(path.join(client.folder, 'key.pub'), path.join(home, '.ssh', 'authorized_keys'));
	await host.must('dropbearkey', ['-t', 'ed25519', '-f', key]);
	const start = ['-F', '-E', '-s', '-p', `${port}`, '-r', key, '-P', '/run/dropbear.pid'];
	const [program = '', ...args] = [...enter, 'dropbear', ...start];
	await host.start(program, args, /Not backgrounding/);
	return bySsh({...server, port});
}

/** Starts a command over a login, and returns once it has printed what matches `ready`. */
export async function startBy(
	{client, words}: Way,
	command: string,
	ready: RegExp,
): Promise<Server> {
	const [program = '', ...args] = words(command);
	return client.start(program, args, ready);
}
