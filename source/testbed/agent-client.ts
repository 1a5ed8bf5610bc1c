import {converse} from '../host/exec/background.ts';
import {selfCommand} from '../host/exec/self.ts';
import {enterArguments, type Namespace} from '../host/netns.ts';
import {HostError} from '../lib/errors.ts';
import {printable} from '../lib/printable.ts';
import type {Operations, Request, Response} from './agent.ts';

/** The command that makes this program an agent (agent.ts). */
const AGENT_COMMAND = '__agent';

/** An agent in a namespace, as its parent process sees it. */
export type Agent = {
	/** Runs an operation in the agent. @throws {HostError} what the operation threw, or that the agent ended */
	readonly run: <Name extends keyof Operations>(
		operation: Name,
		args: Parameters<Operations[Name]>[0],
	) => Promise<Awaited<ReturnType<Operations[Name]>>>;
	readonly stop: () => Promise<void>;
};

/** Starts this program as an agent in a namespace. */
export function startAgent(namespace: Namespace): Agent {
	const pending = new Map<
		number,
		{readonly resolve: (value: never) => void; readonly reject: (error: Error) => void}
	>();
	let last = 0;
	let ended: Error | undefined;
	const {send, end} = converse(
		'nsenter',
		[...enterArguments(namespace.pid), ...selfCommand(), AGENT_COMMAND],
		(line) => {
			const {id, result, error} = JSON.parse(line) as Response;
			const request = pending.get(id);
			pending.delete(id);
			if (error === undefined) {
				request?.resolve(result as never);
			} else {
				request?.reject(failed(error));
			}
		},
		(failure = 'The sender of packets ended') => {
			ended = failed(failure);
			for (const {reject} of pending.values()) {
				reject(ended);
			}
		},
	);
	return {
		run: async (operation, args) =>
			new Promise<never>((resolve, reject) => {
				if (ended) {
					reject(ended);
					return;
				}

				last += 1;
				pending.set(last, {resolve, reject});
				const request: Request = {id: last, operation, args};
				send(JSON.stringify(request));
			}),
		stop: end,
	};
}

function failed(message: string): HostError {
	return new HostError(
		`Packets could not be sent to the copy of this machine: ${printable(message, 120)}`,
		'Nothing is proven, and nothing was changed',
		1,
	);
}

/** An agent that is started by the first operation. */
export function lazyAgent(namespace: Namespace): Agent {
	let agent: Agent | undefined;
	return {
		run: (operation, args) => {
			agent ??= startAgent(namespace);
			return agent.run(operation, args);
		},
		async stop() {
			await agent?.stop();
		},
	};
}
