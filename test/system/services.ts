import {chmodSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {expect, vi} from 'vitest';
import type {Host} from '../_helpers/lab/namespaces.ts';

/** What test/_helpers/lab/listening.js is to open, or what it is to be called. */
type Socket =
	| {
			readonly protocol: 'tcp' | 'udp4' | 'udp6';
			readonly host: string;
			readonly port: number;
			readonly ipv6Only?: boolean;
			readonly count?: number;
	  }
	| {readonly name: string};

/** Starts a program of ours that opens sockets. */
export async function listen(host: Host, ...sockets: readonly Socket[]): Promise<void> {
	const program = path.join(import.meta.dirname, '../_helpers/lab/listening.js');
	const words = sockets.map((socket) => JSON.stringify(socket));
	await host.start(process.execPath, [program, ...words], /ready/);
}

/** Whatever a service writes elsewhere than in its own folder stays in this machine's view. */
async function hideRunningState(host: Host): Promise<void> {
	for (const folder of ['/run', '/var/log', '/var/cache', '/var/spool']) {
		await host.must('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'fww-test', folder]);
	}

	await host.must('mkdir', ['/run/sshd', '/run/lock', '/run/avahi-daemon', '/run/cups']);
	chmodSync(host.folder, 0o755);
}

/** Starts OpenSSH, nginx, PostgreSQL, redis, avahi and CUPS as Debian ships them, each on its own ports. */
export async function startServices(host: Host): Promise<void> {
	await hideRunningState(host);
	await Promise.all([
		startSshd(host),
		startNginx(host),
		startPostgres(host),
		startRedis(host),
		startAvahi(host),
		startCups(host),
	]);
}

async function startSshd(host: Host): Promise<void> {
	const key = path.join(host.folder, 'host-key');
	await host.must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
	await host.start(
		'/usr/sbin/sshd',
		['-D', '-e', '-f', '/dev/null', '-o', `HostKey=${key}`, '-o', 'PidFile=none'],
		/Server listening on :: port 22/,
	);
}

async function startNginx(host: Host): Promise<void> {
	const file = write(
		host,
		'nginx.conf',
		`user www-data; worker_processes 2; daemon off; pid ${host.folder}/nginx.pid;
		error_log stderr notice; events {}
		http { access_log off; server { listen 80; listen [::]:80; listen 127.0.0.1:8081; } }`,
	);
	await host.must('mkdir', ['-p', '/var/lib/nginx', '/var/log/nginx']);
	await host.start('nginx', ['-c', file], /start worker process \d+\n.*start worker process/);
}

async function startPostgres(host: Host): Promise<void> {
	const folder = path.join(host.folder, 'postgres');
	const asPostgres = ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', '--'];
	const find = ['-c', 'ls -d /usr/lib/postgresql/*/bin | tail -1'];
	const programs = (await host.must('sh', find)).trim();
	await host.must('install', ['-d', '-m', '700', '-o', 'postgres', folder]);
	const initdb = ['-N', '-A', 'trust', '--no-instructions', '-D', folder];
	await host.must('setpriv', [...asPostgres, `${programs}/initdb`, ...initdb]);
	const settings = [`unix_socket_directories=${folder}`, 'listen_addresses=*', 'fsync=off'];
	const options = settings.flatMap((setting) => ['-c', setting]);
	await host.start(
		'setpriv',
		[...asPostgres, `${programs}/postgres`, '-D', folder, ...options],
		/ready to accept connections/,
	);
}

async function startRedis(host: Host): Promise<void> {
	const options = ['--port', '6379', '--save', '', '--dir', host.folder];
	await host.start(
		'redis-server',
		['--bind', '0.0.0.0', '-::1', ...options],
		/Ready to accept connections/,
	);
}

async function startAvahi(host: Host): Promise<void> {
	const file = write(
		host,
		'avahi-daemon.conf',
		'[server]\nuse-ipv4=yes\nuse-ipv6=yes\nenable-dbus=no\ndisallow-other-stacks=no\n[rlimits]\n',
	);
	await host.start(
		'avahi-daemon',
		['-f', file, '--no-rlimits', '--no-chroot'],
		/Server startup complete/,
	);
}

async function startCups(host: Host): Promise<void> {
	const file = write(host, 'cupsd.conf', 'Listen localhost:631\nListen *:8631\nBrowsing Off\n');
	const folder = path.join(host.folder, 'cups');
	await host.must('mkdir', ['-p', folder, '/var/log/cups']);
	const files = write(
		host,
		'cups-files.conf',
		`ServerRoot ${folder}\nCacheDir ${folder}\nStateDir ${folder}\nRequestRoot ${folder}\nErrorLog stderr\nAccessLog stderr\n`,
	);
	await host.start(
		'sh',
		['-c', 'echo begun; exec cupsd -f -c "$1" -s "$2"', 'sh', file, files],
		/begun/,
	);
	// It does not say when it listens.
	await vi.waitFor(
		async () => expect(await host.must('ss', ['-Hlnt', 'sport = :8631'])).not.toBe(''),
		{timeout: 20_000, interval: 50},
	);
}

function write(host: Host, name: string, text: string): string {
	const file = path.join(host.folder, name);
	writeFileSync(file, text, {mode: 0o644});
	return file;
}
