import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import process from 'node:process';
import type {Runner, RunOptions} from '../../../source/host/exec/run.ts';
import type {Backend} from '../../../source/host/netfilter/iptables.ts';
import {openView, removeAbandonedFolders, type View} from './backends.ts';
import {execute, type Server, startServer, succeed, type Variables} from './programs.ts';

/** One machine of a test: a network namespace, with iptables of one backend. */
export type Host = {
	readonly name: string;
	readonly folder: string;
	/** What stands before a program that is to run here, and the environment that it needs. */
	readonly enter: readonly string[];
	readonly variables: Variables;
	readonly run: Runner;
	/** Runs a program that must succeed, and gives what it printed. */
	readonly must: (
		program: string,
		args: readonly string[],
		options?: RunOptions,
	) => Promise<string>;
	/** Gives lines to ip(8). */
	readonly ip: (lines: readonly string[]) => Promise<void>;
	/** Sets kernel parameters of the namespace. */
	readonly sysctl: (values: Readonly<Record<string, string | number>>) => Promise<void>;
	readonly start: (program: string, args: readonly string[], ready: RegExp) => Promise<Server>;
};

export type HostOptions = {
	readonly backend?: Backend;
	/** Programs that stand for `iptables-restore` and the like. */
	readonly replaced?: Readonly<Record<string, string>>;
};

/** The machines of one test, all gone when its `describe` block is over. */
export type Lab = {
	readonly host: (options?: HostOptions) => Promise<Host>;
	/** Joins two machines by a cable. */
	readonly join: (left: End, right: End) => Promise<void>;
};

export type End = {
	readonly host: Host;
	readonly device: string;
	/** CIDR. */
	readonly addresses: readonly string[];
};

/** Makes machines outside of a test as well; `close` removes them all. */
export function openLab(): Lab & {readonly close: () => Promise<void>} {
	const removals: Array<() => Promise<unknown>> = [];
	return {
		async close() {
			for (const remove of removals.splice(0).reverse()) {
				await remove();
			}
		},
		async host({backend = 'nft', replaced} = {}) {
			if (process.getuid?.() !== 0) {
				throw new Error('This test needs root: it makes network namespaces');
			}

			await removeAbandoned();
			const view = await openView(backend, replaced);
			removals.push(view.remove);
			const name = `fww-${process.pid}-${randomBytes(3).toString('hex')}`;
			removals.push(async () => removeNamespace(name));
			await succeed(['ip', 'netns', 'add', name]);
			const host = enterable(name, view, removals);
			await host.ip(['link set lo up']);
			return host;
		},
		join,
	};
}

function enterable(name: string, view: View, removals: Array<() => Promise<unknown>>): Host {
	const enter = ['nsenter', `--net=/run/netns/${name}`, ...view.enter, '--'];
	const {variables, folder} = view;
	const must: Host['must'] = async (program, args, options) =>
		succeed([...enter, program, ...args], options, variables);
	return {
		name,
		folder,
		enter,
		variables,
		must,
		run: async (program, args, options) =>
			execute([...enter, program, ...args], options, variables),
		async ip(lines) {
			await must('ip', ['-batch', '-'], {input: `${lines.join('\n')}\n`});
		},
		async sysctl(values) {
			await must('sysctl', [
				'-q',
				'-w',
				...Object.entries(values).map(([key, value]) => `${key}=${value}`),
			]);
		},
		async start(program, args, ready) {
			const server = await startServer([...enter, program, ...args], ready, variables);
			removals.push(server.stop);
			return server;
		},
	};
}

async function join(left: End, right: End): Promise<void> {
	// From outside: the machines' own views need not know the names of the namespaces.
	const link = `type veth peer name ${right.device} netns ${right.host.name}`;
	await succeed(['ip', '-n', left.host.name, ...`link add ${left.device} ${link}`.split(' ')]);
	for (const {host, device, addresses} of [left, right]) {
		await host.ip([
			...addresses.map(
				(cidr) => `address add ${cidr} dev ${device}${cidr.includes(':') ? ' nodad' : ''}`,
			),
			`link set ${device} up`,
		]);
	}
}

async function removeNamespace(name: string): Promise<void> {
	// A process that still runs in the namespace was started by a test, and would keep it alive.
	const {stdout} = await execute(['ip', 'netns', 'pids', name]);
	for (const pid of stdout.split('\n').filter(Boolean).map(Number)) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {}
	}

	await execute(['ip', 'netns', 'del', name]);
}

/** A test process that was killed could not clean up: its successor does. */
async function removeAbandoned(): Promise<void> {
	removeAbandonedFolders();
	const {stdout} = await execute(['ip', 'netns', 'list']);
	for (const [name, pid] of stdout.matchAll(/^fww-(\d+)-[\da-f]+/gm)) {
		if (!existsSync(`/proc/${pid}`)) {
			await removeNamespace(name);
		}
	}
}
