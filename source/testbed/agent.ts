import process from 'node:process';
import {createInterface} from 'node:readline';
import {describeError} from '../lib/errors.ts';
import {receiveDatagram, requestEcho, serveEcho} from './echo.ts';
import {runHelperClient, runHelperServer} from './protocols/index.ts';
import {sweep, sweepSources} from './sweep-ports.ts';

/**
 * An agent is a second process of this program, inside a network namespace of our own, where it sends
 * packets and answers them. It reads requests as JSON lines and prints its responses as JSON lines.
 */
const OPERATIONS = {
	sweep,
	sweepSources,
	serveEcho,
	requestEcho,
	receiveDatagram,
	runHelperServer,
	runHelperClient,
} as const;

export type Operations = typeof OPERATIONS;

export type Request = {
	readonly id: number;
	readonly operation: keyof Operations;
	readonly args: unknown;
};
export type Response = {readonly id: number; readonly result?: unknown; readonly error?: string};

/** Serves requests until its input ends. */
export async function serveAgent(): Promise<void> {
	for await (const line of createInterface({input: process.stdin})) {
		const request = JSON.parse(line) as Request;
		void perform(request).then(
			(result) => reply({id: request.id, result}),
			(error: Error) => reply({id: request.id, error: describeError(error)}),
		);
	}

	process.exit(0);
}

/** Servers run until the agent ends. A second request for the same server starts no other one. */
const SERVERS: ReadonlySet<keyof Operations> = new Set(['serveEcho', 'runHelperServer']);
const started = new Map<string, Promise<unknown>>();

async function perform({operation: name, args}: Request): Promise<unknown> {
	const operation = OPERATIONS[name] as (args: unknown) => Promise<unknown>;
	if (!SERVERS.has(name)) {
		return operation(args);
	}

	const key = JSON.stringify([name, args]);
	const server = started.get(key) ?? operation(args);
	started.set(key, server);
	return server;
}

function reply(response: Response): void {
	process.stdout.write(`${JSON.stringify(response)}\n`);
}
