import {mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {RunResult} from '../../../source/host/exec/run.ts';
import {nodeArchive} from '../../../source/remote/node-runtime.ts';
import {CLI} from '../lab/cli.ts';
import type {Host} from '../lab/namespaces.ts';
import {execute, type Server, startServer} from '../lab/programs.ts';
import type {StartOptions, Terminal, Terminals} from '../terminal/terminal.ts';

/** The machine that a person sits at, from which they reach servers by names of their own. */
export type Laptop = {
	readonly client: Host;
	/** Runs the program there without a terminal. */
	readonly run: (...args: readonly string[]) => Promise<RunResult>;
	readonly start: (args: readonly string[], ready: RegExp) => Promise<Server>;
	/** Runs it in a terminal. */
	readonly open: (
		terminals: Terminals,
		args: readonly string[],
		options?: StartOptions,
	) => Terminal;
	/** Logs in by ssh alone, as the program says that one can. */
	readonly ssh: (...args: readonly string[]) => Promise<RunResult>;
	/** What is left in its folder for temporary files. */
	readonly leftovers: () => readonly string[];
	/** Removes it. */
	readonly tidy: () => void;
};

/** Where a server is, and other lines of ssh_config(5). */
type Place = {readonly HostName: string} & Readonly<Record<string, string | number>>;

const DEFAULTS = `
UserKnownHostsFile /dev/null
StrictHostKeyChecking no
IdentitiesOnly yes
KexAlgorithms curve25519-sha256
`;

/**
 * @param client made by `sshClient`
 * @param places by the names that the person gives them
 * @param program the words that run it
 */
export async function makeLaptop(
	client: Host,
	places: Readonly<Record<string, Place>>,
	program: readonly string[] = [process.execPath, CLI],
): Promise<Laptop> {
	const [home, temporary] = ['laptop', 'tmp'].map((name) => path.join(client.folder, name)) as [
		string,
		string,
	];
	mkdirSync(path.join(home, '.ssh'), {recursive: true, mode: 0o700});
	mkdirSync(temporary);
	const hosts = Object.entries(places).map(([name, lines]) =>
		[`Host ${name}`, ...Object.entries(lines).map((pair) => `\t${pair.join(' ')}`)].join('\n'),
	);
	writeFileSync(
		path.join(home, '.ssh/config'),
		`${hosts.join('\n')}\nHost *\n\tIdentityFile ${client.folder}/key\n${DEFAULTS}`,
		{mode: 0o600},
	);
	// ssh(1) takes the home folder from passwd(5), whatever HOME says.
	await client.must('sed', ['-i', `s|^root:.*|root:x:0:0:root:${home}:/bin/bash|`, '/etc/passwd']);
	const variables = {...client.variables, HOME: home, TMPDIR: temporary, XDG_CACHE_HOME: CACHE};
	const words = (args: readonly string[]) => [...program, ...args];
	return {
		client,
		run: async (...args) =>
			execute([...client.enter, ...words(args)], {timeout: 120_000}, variables),
		start: async (args, ready) => startServer([...client.enter, ...words(args)], ready, variables),
		open: (terminals, args, options) =>
			terminals.start(words(args), {
				...{enter: client.enter, columns: 110, rows: 36, ...options},
				variables: {...variables, ...options?.variables},
			}),
		ssh: async (...args) =>
			execute([...client.enter, 'ssh', '-o', 'BatchMode=yes', ...args], {}, variables),
		leftovers: () => readdirSync(temporary),
		tidy() {
			for (const name of readdirSync(temporary)) {
				rmSync(path.join(temporary, name), {recursive: true});
			}
		},
	};
}

/** The laptops of tests reach no registry: what they would download is put where they look for it first. */
export async function downloadNode(): Promise<void> {
	process.env.XDG_CACHE_HOME = CACHE;
	await nodeArchive({machine: os.machine(), glibc: '2.36'});
}

/** A Node that was downloaded once is there for all tests. */
const CACHE = '/var/cache/fww-test/xdg-cache';
