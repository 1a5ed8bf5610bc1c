import {joinWords} from '../lib/list.ts';
import type {Role} from '../policy/policy.ts';
import {findKnownService} from './advice.ts';
import type {Listener} from './listener.ts';

export type Recommendation = {
	readonly role: Role;
	/** Why, without a full stop: "nginx and postgresql listen on all addresses". */
	readonly reason: string;
};

/** What a listener must have for this; a listener has it all. */
type Candidate = Pick<
	Listener,
	'protocol' | 'address' | 'port' | 'reach' | 'process' | 'unit' | 'unitOf' | 'kernel' | 'container'
>;

/**
 * Ports at which machines look for each other, get their addresses and set their clocks (IANA):
 * these make no server of a machine.
 */
const EVERYWHERE = new Set([
	...['udp 68', 'udp 123', 'udp 546', 'udp 631', 'udp 1900', 'udp 3702'],
	...['udp 5353', 'udp 5355', 'tcp 5355'],
]);

/** Where Linux takes ports of its own accord (ip_local_port_range). */
const EPHEMERAL = 32_768;

/** The role that fits what others can reach on this machine. Who published a port has a service to offer. */
export function recommendRole(
	listeners: readonly Candidate[],
	published: ReadonlyArray<{readonly by: string}> = [],
): Recommendation {
	const reachable = listeners.filter(({reach}) => reach === 'outside');
	const serving = reachable.filter(isService);
	const publishers = [...new Set(published.map(({by}) => by))];
	if (serving.length > 0 || publishers.length > 0) {
		const everywhere = serving.every(({address}) => address === '0.0.0.0' || address === '::');
		const names = namesOf(serving);
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

	const names = namesOf(reachable.filter((listener) => !isPassing(listener)));
	return {
		role: 'workstation',
		reason:
			names.length > 0
				? `nothing listens but ${list(names)}`
				: `${reachable.length === 0 ? 'nothing' : 'no service'} listens for others`,
	};
}

/** Whether somebody elsewhere is meant to use it. */
function isService(listener: Candidate): boolean {
	const known = findKnownService(listener);
	// What a user's own session runs goes with the user.
	if (listener.unitOf !== undefined || listener.kernel) {
		return false;
	}

	if (known !== undefined || isPassing(listener)) {
		return known?.kind === 'service';
	}

	// A service of the system, or, where that is not known, a port that only root may take.
	return (
		listener.container !== undefined ||
		listener.unit !== undefined ||
		(listener.port < 1024 && !(listener.protocol === 'tcp' && listener.port === 22))
	);
}

/** Whether it is there for an answer or for finding others, and soon gone. */
function isPassing({protocol, port}: Candidate): boolean {
	return EVERYWHERE.has(`${protocol} ${port}`) || port >= EPHEMERAL;
}

/** What listens there, by the names that people know, each once. */
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
