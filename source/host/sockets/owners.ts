import {printable} from '../../lib/printable.ts';
import {programOfProxy} from '../../services/known-programs/find.ts';
import type {Listener} from '../../services/listener.ts';
import {readText} from '../files/read-text.ts';
import {userOnMachine} from '../rehearsal/is-rehearsal.ts';
import {commandNameOf, controlGroupsOf, parentOf, userIdOf} from './processes.ts';
import {parseControlGroups} from './units.ts';

/** The process that has a socket, its user, its unit and its container. */
export type Owner = Pick<Listener, 'process' | 'pid' | 'user' | 'unit' | 'unitOf' | 'container'>;

/**
 * Of those that share a socket, the one that has started the others; PID 1 lends its sockets out.
 * @param parents those that are known already: the same few may hold thousands of sockets
 */
export function chiefOf(
	pids: readonly number[],
	parents: Map<number, number | undefined>,
): number | undefined {
	const others = pids.filter((pid) => pid !== 1);
	for (const pid of others) {
		if (!parents.has(pid)) {
			parents.set(pid, parentOf(pid));
		}
	}

	const heads = others.filter((pid) => !others.includes(parents.get(pid) ?? 0));
	return (
		(heads.length > 0 ? heads : others).reduce<number | undefined>(
			(least, pid) => (least === undefined || pid < least ? pid : least),
			undefined,
		) ?? pids[0]
	);
}

/** What is known of a process that has a socket. */
export function describeOwner(pid: number, users: ReadonlyMap<number, string>): Owner {
	const {unit, userId, container} = parseControlGroups(controlGroupsOf(pid));
	const name = commandNameOf(pid);
	const id = userIdOf(pid);
	return {
		process: name === '' ? undefined : printable(name),
		pid,
		user: id === undefined ? undefined : userOf(id, users),
		unit,
		unitOf: userId === undefined ? undefined : nameOf(userId, users),
		container: container ?? programOfProxy(name)?.name,
	};
}

/** Names of users by their numbers, as /etc/passwd has them. */
export function readUsers(): ReadonlyMap<number, string> {
	return new Map(
		(readText('/etc/passwd') ?? '')
			.split('\n')
			.map((line) => line.split(':'))
			.filter((fields) => fields.length > 2)
			.map(([name = '', , id]) => [Number(id), printable(name)] as const),
	);
}

/** The name of a user by the number that the kernel gives here; undefined for whom it does not tell. */
export function userOf(id: number, users: ReadonlyMap<number, string>): string | undefined {
	const real = userOnMachine(id);
	return real === undefined ? undefined : nameOf(real, users);
}

function nameOf(id: number, users: ReadonlyMap<number, string>): string {
	return users.get(id) ?? `${id}`;
}
