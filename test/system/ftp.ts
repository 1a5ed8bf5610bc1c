import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {RunResult} from '../../source/host/exec/run.ts';
import type {Host} from '../_helpers/lab/namespaces.ts';
import {connect} from '../_helpers/lab/pair.ts';

/** What the server has to offer, as `file.txt`. */
export const CONTENT = 'sent over the data connection\n';

/** Starts a real FTP server on a machine: vsftpd, for anybody, both families. */
export async function startFtpServer(host: Host): Promise<void> {
	const root = path.join(host.folder, 'ftp');
	const config = path.join(host.folder, 'vsftpd.conf');
	mkdirSync(root);
	writeFileSync(path.join(root, 'file.txt'), CONTENT);
	// vsftpd reads the files as the user ftp.
	await host.must('chmod', ['755', host.folder]);
	const settings = [
		'background=NO',
		'listen_ipv6=YES',
		'anonymous_enable=YES',
		'no_anon_password=YES',
		'local_enable=NO',
		'connect_from_port_20=YES',
		`anon_root=${root}`,
		`secure_chroot_dir=${root}`,
		'connect_timeout=2',
		'accept_timeout=2',
	];
	writeFileSync(config, `${settings.join('\n')}\n`);
	await host.start('sh', ['-c', 'echo ready && exec vsftpd "$1"', 'sh', config], /ready/);
	for (let tries = 0; (await connect(host, '127.0.0.1', 21)) !== 'succeeded'; tries++) {
		if (tries > 100) {
			throw new Error('vsftpd does not listen');
		}

		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** How the client asks for the data connection; who opens it is the point. */
export const MODES = {
	'active, PORT': {address: 'ipv4', flags: ['--ftp-port', '-', '--disable-eprt']},
	'active, EPRT': {address: 'ipv4', flags: ['--ftp-port', '-']},
	'active, EPRT over IPv6': {address: 'ipv6', flags: ['--ftp-port', '-']},
	'passive, PASV': {address: 'ipv4', flags: ['--disable-epsv']},
	'passive, EPSV': {address: 'ipv4', flags: []},
	'passive, EPSV over IPv6': {address: 'ipv6', flags: []},
} as const;

export type Mode = keyof typeof MODES;

/** Fetches the file with a real client, curl; the dialogue is on its standard error. */
export async function fetchFile(from: Host, address: string, mode: Mode): Promise<RunResult> {
	const url = `ftp://${address.includes(':') ? `[${address}]` : address}/file.txt`;
	return from.run('curl', ['-sSv', '--globoff', '--max-time', '6', ...MODES[mode].flags, url]);
}
