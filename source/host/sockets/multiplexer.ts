import process from 'node:process';
import {run} from '../exec/run.ts';
import {
	ancestorsOf,
	commandNameOf,
	link,
	processesNamed,
	terminalsOf,
	userIdOf,
	variableOf,
} from './processes.ts';

/** A group that nothing belongs to (Debian, and the kernel's overflowgid). */
const NOGROUP = 65_534;

/**
 * The processes through which somebody looks at the tmux or screen that `pid` runs in, the one that
 * was used last first.
 */
export async function multiplexerClients(pid: number): Promise<readonly number[]> {
	const chain = ancestorsOf(pid);
	const server = chain.find((ancestor) => commandNameOf(ancestor).startsWith('tmux'));
	if (server !== undefined) {
		const [holder, socket] =
			chain
				.map((ancestor) => [ancestor, variableOf(ancestor, 'TMUX')?.split(',')[0]] as const)
				.find(([, path]) => path !== undefined && path !== '') ?? [];
		const {stdout} = await run(
			...asOwner([server, holder ?? server], 'tmux', [
				...(socket === undefined ? [] : ['-S', socket]),
				...['list-clients', '-F', '#{client_activity} #{client_pid}'],
			]),
		);
		return stdout
			.trim()
			.split('\n')
			.sort()
			.reverse()
			.map((line) => Number(line.split(' ')[1]))
			.filter((client) => client > 0);
	}

	// The server draws on the terminals of its clients, and on nobody else's.
	const screen = chain.findLast((ancestor) => /^screen$/i.test(commandNameOf(ancestor)));
	if (screen === undefined) {
		return [];
	}

	const shown = terminalsOf(screen);
	return processesNamed(['screen']).filter(
		(client) => !chain.includes(client) && shown.has(link(`/proc/${client}/fd/0`)),
	);
}

/**
 * A program with the rights of whoever runs the first of these processes that is not ours. A server of
 * tmux makes its client open and write files: root must not be the client of another user's.
 */
function asOwner(
	pids: readonly number[],
	program: string,
	args: readonly string[],
): [program: string, args: readonly string[]] {
	const own = process.geteuid?.();
	const other = pids.map(userIdOf).find((uid) => uid !== own);
	return own !== 0 || other === undefined
		? [program, args]
		: [
				'setpriv',
				[`--reuid=${other}`, `--regid=${NOGROUP}`, '--clear-groups', '--', program, ...args],
			];
}
