import {type ChildProcess, spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import type {Socket} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {findProgram} from '../host/exec/find-program.ts';
import {runAttached} from '../host/exec/run-attached.ts';
import {startOrThrow} from '../host/exec/start-process.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {quote} from '../lib/shell-quote.ts';
import {keeperScript, type Probe, parseProbe} from './probe.ts';
import {loginCommand} from './server.ts';

/** What a command on the server has printed. */
type Output = {readonly status: number; readonly stdout: string; readonly stderr: string};

/** A server to which ssh(1) is connected once. All commands go over that one connection. */
export type Connection = {
	readonly probe: Probe;
	/** Runs a command of POSIX sh in the private folder there. @param input goes to its standard input */
	readonly run: (command: string, input?: Readable) => Promise<Output>;
	/** Runs it on this terminal. @returns its exit status; 255 where the connection was lost */
	readonly attach: (command: string, terminal: boolean) => Promise<number>;
	/** Ends the connection, when the server has removed the private folder. */
	readonly close: () => Promise<void>;
};

/** Bytes that a command may print at most, and the one that stays: then ssh is ended. */
const MOST_OUTPUT = 32e6;
const MOST_ANSWER = 1e6;
/** Seconds in which a server must have answered, where nobody is there to type a password. */
const UNATTENDED_SECONDS = 60;

/**
 * Of the user's own configuration all holds but this: no command, no forwarded ports, and a socket of our own. ssh
 * tells after 45 s that the server no longer answers.
 */
const OPTIONS = [
	...['RemoteCommand=none', 'ClearAllForwardings=yes', 'PermitLocalCommand=no', 'LogLevel=ERROR'],
	...['ControlPersist=no', 'ServerAliveInterval=15', 'ServerAliveCountMax=3'],
];

/**
 * Logs in to a server by the user's own ssh(1), which asks for what it needs on the terminal, and finds what is
 * there.
 * @param unattended asks for nothing, and gives up after a minute
 * @throws {HostError} where the login fails, or the server cannot be used
 */
export async function connect(server: string, unattended: boolean): Promise<Connection> {
	const folder = await makeFolder();
	const mark = `fww-${randomBytes(8).toString('hex')}`;
	const words = (...more: readonly string[]) => [
		...[...OPTIONS, `ControlPath=${folder.replaceAll('%', '%%')}/s`].flatMap((one) => ['-o', one]),
		...more,
		...['--', server],
	];
	const first = words(
		...['-o', 'ControlMaster=yes', '-T'],
		...(unattended ? ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15'] : []),
	);
	const child = await startSsh([...first, `exec sh -c ${quote(keeperScript(mark))}`]);
	const ended = endOf(child);
	endWhenTooLoud(child, MOST_ANSWER);
	const said: string[] = [];
	showLines(child.stderr, said, unattended);
	const timer = unattended ? setTimeout(() => child.kill(), UNATTENDED_SECONDS * 1000) : undefined;

	const lines = await readAnswer(child.stdout as Readable, mark);
	clearTimeout(timer);
	const close = async () => {
		child.stdin?.end();
		await ended;
		rmSync(folder, {recursive: true, force: true});
	};
	if (lines === undefined) {
		child.kill();
		await close();
		const why =
			said
				.splice(0)
				.at(-1)
				?.replace(/[\s.]+$/, '') ?? 'the login there runs no command';
		throw new HostError(
			`No connection to ${printable(server)}: ${why}`,
			`See whether this works: ${loginCommand(server)}`,
		);
	}

	try {
		const probe = parseProbe(server, lines);
		const later = (mode: string, command: string) => [
			...words('-o', 'ControlMaster=no', mode),
			`exec sh -c ${quote(`cd ${probe.folder} && ${command}`)}`,
		];
		return {
			...{probe, close},
			async run(command, input) {
				const one = await startSsh(later('-T', command));
				return collect(one, input);
			},
			attach: async (command, terminal) =>
				runAttached('ssh', later(terminal ? '-t' : '-T', command)),
		};
	} catch (error) {
		await close();
		throw error;
	}
}

/**
 * A folder for the socket that only this user may enter. It goes with this process, whatever ends that: a shell
 * waits for the end of its own input. The name of a socket has at most 104 bytes on macOS (unix(4)), of which ssh
 * uses some itself.
 */
async function makeFolder(): Promise<string> {
	const parent = os.tmpdir().length > 60 ? '/tmp' : os.tmpdir();
	const folder = mkdtempSync(path.join(parent, 'fw-wizard-ssh-'));
	const remover = await startOrThrow('sh', () =>
		spawn('/bin/sh', ['-c', 'cat; rm -rf "$1"', 'sh', folder], {
			...{stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/'},
		}),
	);
	remover.unref();
	(remover.stdin as Socket).unref();
	return folder;
}

async function startSsh(args: readonly string[]): Promise<ChildProcess> {
	const file = findProgram('ssh') ?? 'ssh';
	// Its environment: the agent of the keys is found there.
	const child = await startOrThrow(file, () => spawn(file, args, {env: process.env}));
	child.stdin.on('error', () => {});
	return child;
}

/** The lines up to "ready", without their mark; undefined where the output ends before. */
async function readAnswer(stdout: Readable, mark: string): Promise<readonly string[] | undefined> {
	const found: string[] = [];
	return new Promise((resolve) => {
		createInterface({input: stdout})
			.on('line', (line) => {
				if (line === `${mark} ready`) {
					resolve(found);
				} else if (line.startsWith(`${mark} `)) {
					found.push(line.slice(mark.length + 1));
				}
			})
			.on('close', () => resolve(undefined));
	});
}

/**
 * Shows what ssh says, where somebody looks on: a moment later, since its last words before it ends become the
 * error, and are taken out of the list then.
 */
function showLines(stream: Readable | null, said: string[], silent: boolean): void {
	if (stream === null) {
		return;
	}

	createInterface({input: stream}).on('line', (text) => {
		const line = printable(text.trimEnd(), 300);
		if (line === '' || said.length > 100) {
			return;
		}

		said.push(line);
		setTimeout(() => {
			if (!silent && said.includes(line)) {
				process.stderr.write(`${line}\n`);
			}
		}, 300).unref();
	});
}

/** A server can send without end. */
function endWhenTooLoud(child: ChildProcess, most: number): void {
	let size = 0;
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on('data', (data: Buffer | string) => {
			size += data.length;
			if (size > most) {
				child.kill();
			}
		});
	}
}

async function endOf(child: ChildProcess): Promise<number> {
	return new Promise((resolve) => {
		child.on('close', (code) => resolve(code ?? 255));
	});
}

async function collect(child: ChildProcess, input: Readable | undefined): Promise<Output> {
	const output = {stdout: '', stderr: ''};
	for (const name of ['stdout', 'stderr'] as const) {
		child[name]?.setEncoding('utf8').on('data', (data: string) => {
			output[name] += data;
		});
	}

	endWhenTooLoud(child, MOST_OUTPUT);

	const ended = endOf(child);
	if (input !== undefined && child.stdin !== null) {
		// What breaks the transfer off is told by the status.
		await pipeline(input, child.stdin).catch(() => child.kill());
	} else {
		child.stdin?.end();
	}

	return {status: await ended, ...output};
}
