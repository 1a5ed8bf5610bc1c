import {existsSync} from 'node:fs';
import process from 'node:process';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {quoteIfNeeded} from '../lib/shell-quote.ts';
import type {RemoteCommand} from '../remote/program.ts';
import {runOnServer} from '../remote/run-on-server.ts';
import {parseServer} from '../remote/server.ts';
import {type HostFlags, withoutHostFlags} from './options/host.ts';
import {FOR_SEVERAL, onServers} from './servers.ts';

type RemoteFlags = HostFlags & {readonly rehearse?: boolean; readonly json?: boolean};

/** Flags whose value is a file to read: with --host, one of the machine where it was typed. */
const INPUT_FILES = ['--policy', '--nmap'];

/**
 * `--host`: runs a command on a server, or the wizard.
 * @param name of the command, '' for the wizard
 * @param words all that was typed behind the program's name
 * @returns the exit code of the command there
 * @throws {InputError} @throws {HostError}
 */
export async function onServer(
	name: string,
	flags: RemoteFlags,
	words: readonly string[],
): Promise<number> {
	const servers = (flags.host ?? []).map(parseServer);
	const [server, ...more] = servers;
	if (server === undefined) {
		throw new InputError(
			'--install and --node are for a server, and none is named',
			`Name it: ${commandLine('--host USER@SERVER')}`,
		);
	}

	const command = readCommand(name, flags, words);
	const forSeveral = FOR_SEVERAL.find((one) => one === name);
	if (more.length > 0 && forSeveral !== undefined) {
		const {text, well} = await onServers(forSeveral, servers, command, flags.json ?? false);
		process.stdout.write(text);
		return well ? 0 : 1;
	}

	if (more.length > 0) {
		throw new InputError(
			'Only status, check and prove run on several servers',
			`Name one of them: ${commandLine(`--host ${quoteIfNeeded(server)} ${name}`.trimEnd())}`,
		);
	}

	return runOnServer(server, command);
}

function readCommand(name: string, flags: RemoteFlags, words: readonly string[]): RemoteCommand {
	const args = withoutHostFlags(words, flags).flatMap((word) => {
		const flag = INPUT_FILES.find((one) => word.startsWith(`${one}=`));
		return flag === undefined ? [word] : [flag, word.slice(flag.length + 1)];
	});
	// The sides of diff may be files too.
	const isFile = (word: string, index: number) =>
		INPUT_FILES.includes(args[index - 1] ?? '') ||
		(name === 'diff' && word.includes('.') && !word.startsWith('-') && existsSync(word));
	return {
		args,
		files: args.flatMap((word, index) => (isFile(word, index) ? [index] : [])),
		// The policy that was applied, of which rules and export print another form, is root's to read.
		asRoot: !flags.rehearse && !['completion', 'help', 'man', 'schema'].includes(name),
		install: flags.install ?? false,
		node: flags.node,
	};
}
