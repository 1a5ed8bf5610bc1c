import {
	chmodSync,
	chownSync,
	cpSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {CLI} from './cli.ts';
import {succeed, type Variables} from './programs.ts';

/** All of the machine itself that a rehearsal must leave as it is. Only read. */
export async function photographMachine(): Promise<Readonly<Record<string, string>>> {
	const [ipv4, ipv6, nft, addresses, files] = await Promise.all([
		succeed(['iptables-save']),
		succeed(['ip6tables-save']),
		succeed(['nft', 'list', 'ruleset']),
		succeed(['ip', '-j', 'address']),
		// Names, owners, modes, times and contents.
		succeed(['sh', '-c', 'tar --sort=name -cf - /etc /var/lib | sha256sum']),
	]);
	return {
		ipv4: ipv4.replaceAll(/^#.*\n/gm, ''),
		ipv6: ipv6.replaceAll(/^#.*\n/gm, ''),
		nft,
		addresses: addresses.replaceAll(/"(?:valid|preferred)_life_time":\d+/g, ''),
		files,
	};
}

/** An ordinary user with a copy of the program, a home and a folder for temporary files. */
export type User = {
	readonly cli: string;
	/** What stands before a program that this user runs. */
	readonly enter: readonly string[];
	readonly variables: Variables;
	/** What is left in the folder for temporary files. */
	readonly leftovers: () => readonly string[];
	readonly remove: () => void;
};

/** The user `nobody`: every Debian has it, and it owns no file. */
const NOBODY = 65_534;

export function makeUser(): User {
	const folder = mkdtempSync(path.join(os.tmpdir(), `fww-user-${process.pid}-`));
	const [cli, home] = [path.join(folder, 'cli.js'), mkdtempSync(path.join(folder, 'home-'))];
	const remove = () => rmSync(folder, {recursive: true, force: true});
	try {
		cpSync(CLI, cli);
		chmodSync(folder, 0o755);
		chownSync(home, NOBODY, NOBODY);
	} catch (error) {
		remove();
		throw error;
	}

	return {
		cli,
		enter: ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'],
		variables: {HOME: home, TMPDIR: home},
		leftovers: () => readdirSync(home),
		remove,
	};
}

/** The process of fw-wizard that runs inside the namespaces which an outer one has made. */
export function findInner(outer: number): number {
	const children = readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').trim().split(' ');
	const inner = children.find((pid) =>
		readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('cli.js'),
	);
	if (inner === undefined) {
		throw new Error(`process ${outer} has started no program of ours`);
	}

	return Number(inner);
}
