import {joinWords} from '../lib/list.ts';
import type {Role} from '../policy/policy.ts';
import {EPHEMERAL, findKnownService} from './advice.ts';
import type {Listener} from './listener.ts';

export type Recommendation = {
	readonly role: Role;
	/** The reason, without a full stop: "nginx and postgresql listen on all addresses". */
	readonly reason: string;
};

/** The fields of a listener that the role depends on. */
type Candidate = Pick<
	Listener,
	'protocol' | 'address' | 'port' | 'reach' | 'process' | 'unit' | 'unitOf' | 'kernel' | 'container'
>;

/**
 * Ports by which machines find each other, get their addresses and set their clocks (IANA). A machine
 * that listens only there is no server.
 */
const EVERYWHERE = new Set([
	...['udp 68', 'udp 123', 'udp 546', 'udp 631', 'udp 1900', 'udp 3702'],
	...['udp 5353', 'udp 5355', 'tcp 5355'],
]);

/**
 * The role that fits what other machines can reach here. A machine with published ports is a server.
 * @param published the published ports of containers, with the program that published each
 */
export function recommendRole(
	listeners: readonly Candidate[],
	published: ReadonlyArray<{readonly by: string}> = [],
): Recommendation {
	const reachable = listeners.filter(({reach}) => reach === 'outside');
	const serving = reachable.filter(isService);
	const publishers = [...new Set(published.map(({by}) => by))];
	if (serving.length > 0 || publishers.length > 0) {
		const everywhere = serving.every(({address}) => address === '0.0.0.0' || address === '::');
		// The listeners of what publishes ports are named by it.
		const names = namesOf(
			serving.filter(({container}) => container === undefined || publishers.length === 0),
		);
		return {
			role: 'server',
			reason: [
				...(names.length > 0
					? [
							`${list(names)} ${names.length === 1 ? 'listens' : 'listen'}${everywhere ? ' on all addresses' : ' for others'}`,
						]
					: []),
				...(publishers.length > 0 ? [`ports are published by ${list(publishers)}`] : []),
			].join(', and '),
		};
	}

	const names = namesOf(reachable.filter((listener) => !isTransient(listener)));
	return {
		role: 'workstation',
		reason:
			names.length > 0
				? `nothing listens but ${list(names)}`
				: `${reachable.length === 0 ? 'nothing' : 'no service'} listens for others`,
	};
}

/** Whether a listener is a service for other machines. */
function isService(listener: Candidate): boolean {
	const known = findKnownService(listener);
	// What a user's own session runs ends with the session.
	if (listener.unitOf !== undefined || (listener.kernel && known === undefined)) {
		return false;
	}

	if (known !== undefined || isTransient(listener)) {
		return known?.kind === 'service';
	}

	// A service of the system, or, where the unit is not known, a port that only root may bind.
	return (
		listener.container !== undefined ||
		listener.unit !== undefined ||
		(listener.port < 1024 && !(listener.protocol === 'tcp' && listener.port === 22))
	);
}

/** Whether a listener only waits for an answer or finds other machines, and is likely to be short-lived. */
function isTransient({protocol, port}: Candidate): boolean {
	return EVERYWHERE.has(`${protocol} ${port}`) || port >= EPHEMERAL;
}

/** The names of listeners as a person calls them, each once. */
function namesOf(listeners: readonly Candidate[]): readonly string[] {
	return [
		...new Set(
			listeners.map(
				(listener) =>
					findKnownService(listener)?.name ??
					listener.process ??
					`something on ${listener.port}/${listener.protocol}`,
			),
		),
	];
}

/** At most three names: "nginx, redis and 4 more". */
function list(names: readonly string[]): string {
	const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
	return joinWords(shown);
}
