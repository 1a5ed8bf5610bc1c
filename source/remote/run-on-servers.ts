import {describeError, HostError} from '../lib/errors.ts';
import {connect} from './connection.ts';
import {bringProgram, NOT_ROOT, type RemoteCommand} from './program.ts';
import {notRoot} from './run-on-server.ts';

/** What came of running a command on one of several servers. */
export type ServerAnswer = {readonly server: string} & (
	| {
			readonly kind: 'ended';
			readonly code: number;
			readonly stdout: string;
			readonly stderr: string;
	  }
	/** No login, or the program could not be run there: in one line each, why and what to do. */
	| {readonly kind: 'unreachable' | 'failed'; readonly message: string; readonly advice: string}
);

/** How many are connected at a time: each is a process of ssh, and may be sent a Node of 53 MB. */
const AT_ONCE = 8;

/** Runs a command on several servers side by side, without a terminal. Never throws. @returns in the order given */
export async function runOnServers(
	servers: readonly string[],
	command: RemoteCommand,
): Promise<readonly ServerAnswer[]> {
	const answers: ServerAnswer[] = [];
	const waiting = [...servers.entries()].reverse();
	const work = async () => {
		for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
			answers[next[0]] = await runOnOne(next[1], command);
		}
	};
	await Promise.all(Array.from({length: AT_ONCE}, work));
	return answers;
}

async function runOnOne(server: string, command: RemoteCommand): Promise<ServerAnswer> {
	let kind: 'unreachable' | 'failed' = 'unreachable';
	try {
		const connection = await connect(server, true);
		kind = 'failed';
		try {
			const script = await bringProgram(server, connection, command, false);
			const {status, stdout, stderr} = await connection.run(script);
			if (status === NOT_ROOT) {
				throw notRoot(server, connection.probe.elevation, false);
			}

			return {server, kind: 'ended', code: status, stdout, stderr};
		} finally {
			await connection.close();
		}
	} catch (error) {
		const advice = error instanceof HostError ? error.hint : 'Try that server alone';
		return {server, kind, message: describeError(error), advice};
	}
}
