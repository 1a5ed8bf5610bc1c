import {readlinkSync} from 'node:fs';
import {HostError} from '../lib/errors.ts';
import {hold} from './exec/background.ts';
import {type Runner, run} from './exec/run.ts';
import {isRoot} from './machine/host-facts.ts';
import {freshNetwork} from './machine/modules.ts';

/** A temporary network namespace. The kernel removes it when this process ends, in whatever way. */
export type Namespace = {readonly pid: number; readonly run: Runner};

/**
 * Makes a network namespace, calls a function with it, and removes it. Programs in it have root's
 * rights over it, also for an ordinary user (through a user namespace).
 * @param beside another namespace that is to be linked to this one: for an ordinary user both must
 * belong to one user namespace
 * @throws {HostError} where namespaces are forbidden
 */
export async function withNamespace<T>(
	use: (namespace: Namespace) => Promise<T>,
	beside?: Namespace,
): Promise<T> {
	const held = await (beside === undefined || isRoot()
		? hold('unshare', freshNetwork())
		: hold('nsenter', [
				...['-t', `${beside.pid}`, '-U', '--preserve-credentials', '--'],
				...['unshare', '--net', '--'],
			]));
	if (typeof held === 'string') {
		throw new HostError(
			`This machine allows no network namespaces: ${held || 'unshare ended'}`,
			'Run as root, outside of a container; on Ubuntu see kernel.apparmor_restrict_unprivileged_userns',
		);
	}

	try {
		// A program that ran in the machine's own namespace by mistake would change its real firewall.
		if (readlinkSync(`/proc/${held.pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) {
			throw new HostError('The new network namespace is not a new one', 'Please report this');
		}

		const enter = enterArguments(held.pid);
		return await use({
			pid: held.pid,
			run: async (program, args, options) => run('nsenter', [...enter, program, ...args], options),
		});
	} finally {
		await held.release();
	}
}

/**
 * The arguments with which nsenter(1) enters the network namespace of a process that this program
 * started.
 */
export function enterArguments(pid: number): readonly string[] {
	return ['-t', `${pid}`, ...(isRoot() ? [] : ['-U', '--preserve-credentials']), '-n', '--'];
}
