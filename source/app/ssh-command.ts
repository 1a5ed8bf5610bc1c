import {loginElsewhere} from '../host/exec/invocation.ts';
import {connectionOf, type Session} from '../host/sockets/session.ts';
import {scopeOf} from '../lib/address-scope.ts';

/** Stands for what the user called this machine, where its own address is not what they dial. */
export const UNKNOWN_HOST = 'HOST';

/**
 * The command by which the user can log in as they did: `ssh -p 2222 root@192.0.2.10`. Behind NAT the client dials
 * another address than this machine has, and of a link-local address the interface is missing: then `HOST` stands for
 * it. With --host it is known what the user's own ssh is told. Undefined at the console, and where it is not known how
 * the user is connected.
 * @param user whose login it is; absent where that is not known
 */
export function sshCommand(session: Session, user: string | undefined): string | undefined {
	if (session.kind !== 'remote') {
		return undefined;
	}

	const typed = loginElsewhere();
	if (typed !== undefined) {
		return typed;
	}

	const connection = connectionOf(session);
	const tcp = session.accessPorts.find(
		({protocol, tunnel}) => protocol === 'tcp' && tunnel === undefined,
	);
	const port = connection?.localPort ?? tcp?.first ?? 22;
	const [own, client] = [connection?.localAddress, connection?.remoteAddress].map((address) =>
		address === undefined ? undefined : scopeOf(address),
	);
	const translated = own === 'private' && client === 'public';
	const address =
		connection === undefined || translated || own === 'link-local'
			? UNKNOWN_HOST
			: connection.localAddress;
	return [
		'ssh',
		...(port === 22 ? [] : ['-p', String(port)]),
		user === undefined ? address : `${user}@${address}`,
	].join(' ');
}
