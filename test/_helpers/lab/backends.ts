import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import {startServer, type Variables} from './programs.ts';
import {rounds} from './rounds.ts';

export const BACKENDS: readonly Backend[] = ['nft', 'legacy'];

/** Those of a test that takes long: in the usual run it has one of them alone. */
export function mainly(backend: Backend): readonly Backend[] {
	return rounds(0, 1) === 1 ? BACKENDS : [backend];
}

/** What the folders of our views begin with, followed by the number of the process that made them. */
const FOLDER = 'fww-test-';

/** A view of the file system in which iptables is of one backend. */
export type View = {
	/** What nsenter(1) needs to go there. */
	readonly enter: readonly string[];
	readonly variables: Variables;
	/** A folder of its own, for what a test must write. */
	readonly folder: string;
	readonly remove: () => Promise<void>;
};

const PROGRAMS = ['iptables', 'ip6tables'].flatMap((name) =>
	['', '-save', '-restore'].map((ending) => ({name, ending})),
);

/**
 * systemctl and systemd-run would reach the machine's own service manager through its socket; and logins to
 * this machine are told nothing of a test.
 */
const HIDE_MANAGER =
	'for folder in /run/systemd /run/motd.d; do [ ! -d $folder ] || mount -t tmpfs fww-test $folder; done';

/**
 * Chooses the backend as a Debian does, by the links in /etc/alternatives, but in a mount namespace
 * of its own: PATH would not do, since the program looks only in the system's folders. What is
 * written to /etc and /var/lib stays in it.
 * @param replaced other programs for some of the links
 */
export async function openView(
	backend: Backend,
	replaced: Readonly<Record<string, string>> = {},
): Promise<View> {
	const folder = mkdtempSync(path.join(os.tmpdir(), `${FOLDER}${process.pid}-`));
	const remove = () => rmSync(folder, {recursive: true, force: true});
	const links = path.join(folder, 'etc', 'upper', 'alternatives');
	for (const part of ['etc/work', 'etc/upper/alternatives', 'var/lib/work', 'var/lib/upper']) {
		mkdirSync(path.join(folder, part), {recursive: true});
	}

	for (const {name, ending} of PROGRAMS) {
		const link = path.join(links, `${name}${ending}`);
		symlinkSync(replaced[`${name}${ending}`] ?? `/usr/sbin/${name}-${backend}${ending}`, link);
	}

	const mount = `${['etc', 'var/lib'].map((part) => overlay(part, folder)).join(' && ')} && ${HIDE_MANAGER} && echo ready && exec cat`;
	try {
		const holder = await startServer(
			['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount],
			/ready/,
		);
		return {
			enter: [`--mount=/proc/${holder.pid}/ns/mnt`],
			// Test files run beside each other and must not wait for each other's lock.
			variables: {XTABLES_LOCKFILE: path.join(folder, 'xtables.lock')},
			folder,
			async remove() {
				await holder.stop();
				remove();
			},
		};
	} catch (error) {
		remove();
		throw error;
	}
}

function overlay(part: string, folder: string): string {
	const layer = path.join(folder, part);
	return `mount -t overlay fww-test -o lowerdir=/${part},upperdir=${layer}/upper,workdir=${layer}/work /${part}`;
}

/** Removes the folders of test processes that were killed. */
export function removeAbandonedFolders(): void {
	for (const name of readdirSync(os.tmpdir())) {
		const pid = new RegExp(`^${FOLDER}(\\d+)-`).exec(name)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
			rmSync(path.join(os.tmpdir(), name), {recursive: true, force: true});
		}
	}
}
