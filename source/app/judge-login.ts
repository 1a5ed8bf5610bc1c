import {readLoaded} from '../change/drift.ts';
import {type ChangeMeta, readMeta} from '../change/record.ts';
import {interfacesOf} from '../host/machine/interfaces.ts';
import {asLogin, isOwnAddress, type Login, serverOf} from '../host/sockets/logins.ts';
import {connectionKey, type TcpSocket} from '../host/sockets/proc-net.ts';
import {findSession, type Session} from '../host/sockets/session.ts';
import {joinWords} from '../lib/list.ts';
import {familyOf} from '../lib/network.ts';
import {evaluate} from '../ruleset/evaluate.ts';
import {firstPacket} from '../ruleset/evaluate-ports.ts';
import {findLockouts, printAccessPort} from '../ruleset/lockout.ts';
import type {FamilyRules} from '../ruleset/model.ts';

/**
 * Why a login does not show that the administrator can log in under the rules of a change, as a
 * sentence without its full stop. Undefined where it shows that.
 */
export type Doubt = string | undefined;

/** What the judgement of a login depends on. */
export type Evidence = {
	readonly change: Pick<ChangeMeta, 'connections' | 'appliedFrom'>;
	/** The rules of the change, without those of other programs. */
	readonly rules: readonly FamilyRules[];
	/** The session in use, where it comes through a tunnel whose ports must stay open. */
	readonly session?: Session;
};

/** What the record of a change says. Where it is damaged, it says that of a change by version 0.1.0. */
export function evidenceOf(id: number): Evidence {
	return {change: readMeta(id) ?? {connections: []}, rules: readLoaded(id) ?? []};
}

/**
 * Judges the session that this process runs in. At the machine's own console no rules can lock the
 * user out; of another session its connection is judged.
 */
export async function judgeSession(evidence: Evidence): Promise<Doubt> {
	const session = await findSession();
	if (session.kind === 'console') {
		return undefined;
	}

	const connection = session.kind === 'remote' ? session.connection : 'unknown';
	return typeof connection === 'object'
		? judgeLogin(await asLogin(connection), {...evidence, session})
		: UNKNOWN[connection];
}

const SHOWS_NOTHING = 'it does not show that you can log in';

const UNKNOWN = {
	unknown: `How this terminal is connected could not be detected: ${SHOWS_NOTHING}`,
	ended: `The login that opened this terminal has ended: ${SHOWS_NOTHING}`,
	mosh: 'mosh does not show from which address you are connected',
	several: 'The server of this terminal has several connections, and which is yours is not known',
} as const;

/**
 * Judges a login whose connection is open. It shows that the administrator can log in where
 * the connection was not there when loading had ended, root's server has accepted it, the rules of
 * the change accept its first packet, and it comes from an address from which the rules were applied.
 * Whatever conntrack made of its packets does not count.
 */
export function judgeLogin(login: Login, {change, rules, session}: Evidence): Doubt {
	const {connection} = login;
	const {remoteAddress: client} = connection;
	const {appliedFrom, connections} = change;
	if (isOwnAddress(client)) {
		return 'This login comes from the machine itself: it does not show that one can log in from outside';
	}

	if (appliedFrom === undefined) {
		return 'An older version of fw-wizard made this change, and did not record which connections were open';
	}

	if (connections.includes(connectionKey(connection))) {
		return 'This session was open before the rules were applied, or shares a connection that was (ControlMaster): it does not show that one can log in';
	}

	const port = printAccessPort({
		protocol: 'tcp',
		first: connection.localPort,
		last: connection.localPort,
	});
	return (
		judgeServer(login, port) ??
		judgeRules(connection, port, rules) ??
		judgeAddress(client, appliedFrom) ??
		judgeTunnel(client, rules, session)
	);
}

function judgeServer(login: Login, port: string): Doubt {
	switch (serverOf(login)) {
		case 'root':
			return undefined;
		case 'other user':
			return `The server of this login at ${port} is not root's: ${SHOWS_NOTHING}`;
		case 'container':
			return `This login is one to a container: it does not show that you can log in to the machine`;
		case 'none':
			return `No program listens at ${port} any more: one could not log in again`;
		case 'unknown':
			return `Which server has accepted this login at ${port} could not be detected`;
	}
}

function judgeRules(connection: TcpSocket, port: string, rules: readonly FamilyRules[]): Doubt {
	const {localAddress, remoteAddress: source} = connection;
	const family = familyOf(source);
	const own = rules.find((candidate) => candidate.family === family);
	if (own === undefined) {
		return `The rules of fw-wizard do not judge IPv${family}, over which this login comes`;
	}

	// Several interfaces may bear a link-local address, and /proc/net does not tell which was used.
	const interfaces = interfacesOf(localAddress);
	const accepted = (interfaces.length === 0 ? [''] : interfaces).every((inInterface) => {
		const from = {family, inInterface, source, destination: localAddress} as const;
		const packet = {
			...firstPacket(from, 'tcp', connection.localPort),
			sourcePort: connection.remotePort,
		};
		return evaluate(own, packet).verdict === 'ACCEPT';
	});
	return accepted
		? undefined
		: `The new rules block ${port} from ${source}: this login got in by something else, as a rule of another program`;
}

/**
 * A login through a tunnel is possible for as long as conntrack remembers the tunnel's flow, whatever the
 * rules make of the tunnel itself.
 */
function judgeTunnel(client: string, families: readonly FamilyRules[], session?: Session): Doubt {
	if (session?.kind !== 'remote' || session.client !== client) {
		return undefined;
	}

	const accessPorts = session.accessPorts.filter(({tunnel}) => tunnel !== undefined);
	const closed = findLockouts({families}, {...session, accessPorts}).map(printAccessPort);
	return closed.length === 0
		? undefined
		: `The new rules block ${joinWords(closed)}, through which this login comes: it ends once the tunnel is silent for some minutes, and no other follows`;
}

/** @param appliedFrom how the rules were applied, as the change recorded it */
function judgeAddress(
	client: string,
	{kind, addresses}: NonNullable<ChangeMeta['appliedFrom']>,
): Doubt {
	// There the user needs no network: any login shows that one is possible.
	if (kind === 'console' || addresses.includes(client)) {
		return undefined;
	}

	return addresses.length === 0
		? `From which address the rules were applied is not known, and this login comes from ${client}`
		: `This login comes from ${client}, and the rules were applied from ${addresses.join(' or ')}: it does not show that you can log in from there`;
}
