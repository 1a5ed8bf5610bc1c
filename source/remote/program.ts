import {createReadStream, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {Readable} from 'node:stream';
import {createGzip} from 'node:zlib';
import {PASSED_VARIABLES} from '../host/exec/elevation.ts';
import {LOGIN_VARIABLE, PROGRAM_VARIABLE} from '../host/exec/invocation.ts';
import {firstLine} from '../host/exec/run.ts';
import {selfCommand} from '../host/exec/self.ts';
import {isOlder} from '../host/machine/node-version.ts';
import {commandLine} from '../lib/command-line.ts';
import {describeError, HostError, InputError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import {quote, quoteIfNeeded} from '../lib/shell-quote.ts';
import type {Connection} from './connection.ts';
import {installScript} from './install-script.ts';
import {checkNodeFile, NODE_VERSION, nodeArchive} from './node-runtime.ts';
import type {Probe} from './probe.ts';
import {loginCommand} from './server.ts';

/** What is to run on a server. */
export type RemoteCommand = {
	/** The arguments of this program there. */
	readonly args: readonly string[];
	/** Places in `args` that name files of this machine: these are brought along. */
	readonly files: readonly number[];
	/** Whether it needs root, or says more as root. */
	readonly asRoot: boolean;
	/** Keep the program there. */
	readonly install: boolean;
	/** A Node for the server, as a file of this machine. */
	readonly node: string | undefined;
};

/** With this status the script ends where the user did not become root. The program itself never does. */
export const NOT_ROOT = 253;

/**
 * Brings the program and all that it needs into the private folder on a server.
 * @param terminal whether it will have a terminal, on which sudo(8) can ask for a password
 * @returns the command that runs it, for sh in that folder
 * @throws {HostError} where the server cannot run it
 */
export async function bringProgram(
	server: string,
	{probe, run}: Connection,
	command: RemoteCommand,
	terminal: boolean,
): Promise<string> {
	const put = async (input: Readable, receive: string) => {
		const {status, stderr} = await run(receive, input);
		if (status !== 0) {
			throw new HostError(
				`Nothing could be written to ${probe.folder} on ${printable(server)}: ${printable(firstLine(stderr), 200)}`,
				'fw-wizard was not started there, and what was written is removed',
			);
		}
	};
	if (probe.system !== 'Linux') {
		throw new HostError(
			`${printable(server)} runs ${printable(probe.system)}: fw-wizard needs Linux`,
			'Nothing was changed there',
		);
	}

	// The stand-alone binary is Node and program in one.
	const [own = process.execPath, ...rest] = selfCommand();
	const isBinary = rest.length === 0;
	const args = [...command.args];
	for (const [index, place] of command.files.entries()) {
		const name = `${index}-${path.basename(args[place] ?? '').replaceAll(/[^\w.-]/g, '_')}`;
		await put(Readable.from([readInput(args[place] ?? '')]), `cat >${name}`);
		args[place] = `${probe.folder}/${name}`;
	}

	if (isBinary) {
		checkBinary(server, probe, command.node);
	}

	await put(
		createReadStream(rest.at(-1) ?? own).pipe(createGzip({level: 1})),
		isBinary ? 'gzip -dc >cli.js && chmod 700 cli.js' : 'gzip -dc >cli.js',
	);
	if (isBinary) {
		const {status, stderr} = await run('./cli.js --version');
		if (status !== 0) {
			throw new HostError(
				`The stand-alone fw-wizard does not run on ${printable(server)}: ${printable(firstLine(stderr), 200)}`,
				`Install libatomic1 there, allow programs in ${probe.folder}, or run this from the npm package: npx fw-wizard`,
			);
		}
	}

	const node = isBinary ? undefined : await findNode(server, {probe, run}, command, put);
	await put(
		Readable.from([runScript(probe, node, {...command, args}, server, terminal)]),
		'cat >run',
	);
	return 'exec sh ./run';
}

/** @throws {InputError} @throws {HostError} where this binary, which has its own Node, is of no use there */
function checkBinary(server: string, {machine}: Probe, node: string | undefined): void {
	if (node !== undefined) {
		throw new InputError('The stand-alone fw-wizard has a Node of its own', 'Leave --node out');
	}

	const own = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
	if (machine !== own) {
		throw new HostError(
			`${printable(server)} is ${printable(machine)}, and this stand-alone fw-wizard is for ${own}`,
			'Run this from the npm package, which brings a Node that fits: npx fw-wizard',
		);
	}
}

/** The Node that runs the program there, by its absolute path: the server's own, or one that is brought along. */
async function findNode(
	server: string,
	{probe, run}: Pick<Connection, 'probe' | 'run'>,
	{node: file}: RemoteCommand,
	put: (input: Readable, receive: string) => Promise<void>,
): Promise<string> {
	const own = probe.nodes.find(({version}) => !isOlder(version, FW_WIZARD_NODE));
	if (file === undefined && own !== undefined) {
		return own.file;
	}

	if (!probe.executable) {
		throw new HostError(
			`No folder for temporary files on ${printable(server)} may hold programs (noexec), and it has no Node ${FW_WIZARD_NODE} or newer`,
			`Install such a Node there, or mount one of /tmp, /var/tmp and the home folder without noexec`,
		);
	}

	if (file === undefined) {
		const archive = await nodeArchive(probe);
		await put(
			Readable.from([archive]),
			'tar -xzf - package/bin/node && mv package/bin/node node && chmod 700 node',
		);
	} else {
		checkNodeFile(file, probe.machine);
		await put(
			createReadStream(file).pipe(createGzip({level: 1})),
			'gzip -dc >node && chmod 700 node',
		);
	}

	const {status, stdout, stderr} = await run('./node --version');
	const version = /^v(\d+\.\d+\.\d+)\n$/.exec(stdout)?.[1];
	if (status !== 0 || version === undefined) {
		throw new HostError(
			`${file === undefined ? `Node ${NODE_VERSION}` : printable(file)} does not run as Node on ${printable(server)}: ${printable(firstLine(stderr || stdout), 200) || 'it says nothing'}`,
			'Bring a Node that runs there: --node FILE',
		);
	}

	if (isOlder(version, FW_WIZARD_NODE)) {
		throw new InputError(
			`${printable(file ?? 'Node')} is Node ${version}: Node ${FW_WIZARD_NODE} or newer is needed`,
			'Give the bin/node of a newer one, or leave out --node',
		);
	}

	return `${probe.folder}/node`;
}

function readInput(file: string): Buffer {
	try {
		return readFileSync(file);
	} catch (error) {
		throw new InputError(
			`A file cannot be brought to the server: ${describeError(error, file)}`,
			'Give the path of a file on this machine that you may read',
		);
	}
}

/**
 * The script that runs the program, and as root runs itself for that. Its process stays, also where the terminal is
 * taken away, since the folder is there for as long. The program begins in the home folder.
 */
function runScript(
	{folder, root, elevation}: Probe,
	node: string | undefined,
	{args, asRoot, install}: RemoteCommand,
	server: string,
	terminal: boolean,
): string {
	const variables = [
		...PASSED_VARIABLES.map((name) => [name, process.env[name]]),
		[PROGRAM_VARIABLE, commandLine(`--host ${quoteIfNeeded(server)}`)],
		[LOGIN_VARIABLE, loginCommand(server)],
	].filter(([, value]) => value !== undefined);
	const start = `sh ${folder}/run start`;
	const elevate =
		root || !(asRoot || install) || elevation === undefined
			? start
			: elevation === 'sudo'
				? `sudo ${terminal ? '' : '-n '}-- ${start}`
				: `su -s /bin/sh -c ${quote(start)} root`;
	const program = install
		? installScript(folder, node)
		: {lines: [], words: [...(node === undefined ? [] : [node]), `${folder}/cli.js`]};
	const words = [...variables.map((pair) => pair.join('=')), ...program.words, ...args];
	return `if [ "$1" = start ]; then
	: >${folder}/started
${program.lines.map((line) => `\t${line}\n`).join('')}	exec env ${words.map(quote).join(' ')}
fi
trap : HUP INT QUIT TERM
echo $$ >${folder}/pid && echo '{"type": "commonjs"}' >${folder}/package.json || exit 255
cd || cd /
${elevate}
code=$?
[ -e ${folder}/started ] || exit ${NOT_ROOT}
exit $code
`;
}
