import {readlinkSync} from 'node:fs';
import {HostError} from '../lib/errors.ts';
import {hold} from './exec/background.ts';
import {type Runner, run} from './exec/run.ts';
import {isRoot} from './machine/host-facts.ts';
import {freshNetwork} from './machine/modules.ts';

/** No network namespace can be made: as root in a container without CAP_SYS_ADMIN (unshare(2)). */
export class NamespaceError extends HostError {}

/** A throw-away network namespace. It ends when this process does, however it does. */
export type Namespace = {readonly pid: number; readonly run: Runner};

/**
 * Makes a network namespace, lends it, and removes it. Programs run in it with root's rights over
 * it, also for an ordinary user (through a user namespace).
 * @param beside another one, to which cables are to lead: for an ordinary user both must belong to
 * one user namespace
 * @throws {NamespaceError} where namespaces are forbidden
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
		throw new NamespaceError(
			`This machine allows no network namespaces: ${held || 'unshare ended'}`,
			'Run as root, outside of a container; on Ubuntu see kernel.apparmor_restrict_unprivileged_userns',
		);
	}

	try {
		// The one mistake that must not happen: to run in the machine's own namespace.
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

/** The arguments with which nsenter(1) goes into the network namespace of a process of ours. */
export function enterArguments(pid: number): readonly string[] {
	return ['-t', `${pid}`, ...(isRoot() ? [] : ['-U', '--preserve-credentials']), '-n', '--'];
}
