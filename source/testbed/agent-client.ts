import {converse} from '../host/exec/run.ts';
import {selfCommand} from '../host/exec/self.ts';
import {enterArguments, type Namespace} from '../host/netns.ts';
import type {Operations, Request, Response} from './agent.ts';

/** The word on the command line that makes this program an agent. */
export const AGENT_COMMAND = '__agent';

/** An agent in a namespace, as seen from here. */
export type Agent = {
	readonly ask: <Name extends keyof Operations>(
		operation: Name,
		args: Parameters<Operations[Name]>[0],
	) => Promise<Awaited<ReturnType<Operations[Name]>>>;
	readonly stop: () => Promise<void>;
};

/** Starts this program as an agent in a namespace. */
export function startAgent(namespace: Namespace): Agent {
	const waiting = new Map<
		number,
		{readonly resolve: (value: never) => void; readonly reject: (error: Error) => void}
	>();
	let last = 0;
	const {send, end} = converse(
		'nsenter',
		[...enterArguments(namespace.pid), ...selfCommand(), AGENT_COMMAND],
		(line) => {
			const {id, result, error} = JSON.parse(line) as Response;
			const one = waiting.get(id);
			waiting.delete(id);
			if (error === undefined) {
				one?.resolve(result as never);
			} else {
				one?.reject(new Error(error));
			}
		},
		() => {
			for (const {reject} of waiting.values()) {
				reject(new Error('The sender of packets ended'));
			}
		},
	);
	return {
		ask: async (operation, args) =>
			new Promise<never>((resolve, reject) => {
				last += 1;
				waiting.set(last, {resolve, reject});
				const request: Request = {id: last, operation, args};
				send(JSON.stringify(request));
			}),
		stop: end,
	};
}

/** An agent that is started by the first question. */
export function lazyAgent(namespace: Namespace): Agent {
	let agent: Agent | undefined;
	return {
		ask: (operation, args) => {
			agent ??= startAgent(namespace);
			return agent.ask(operation, args);
		},
		async stop() {
			await agent?.stop();
		},
	};
}
