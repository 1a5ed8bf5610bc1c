import type {Port} from '../policy/port-openings.ts';
import {findKnownService} from './advice.ts';
import type {Listener} from './listener.ts';

/** Whom a service is for that listens for other machines. */
type Audience = {
	/** Any machine may connect: it starts open on a server. */
	readonly everybody: boolean;
	/** What it is, and where it starts closed why, in a few words: `database: rarely meant for everybody`. */
	readonly why: string;
	/** The service is SSH, by which the machine is administered. */
	readonly service?: 'ssh';
};

type Candidate = Pick<
	Listener,
	'protocol' | 'port' | 'process' | 'unit' | 'unitOf' | 'user' | 'kernel' | 'container'
>;

const SSH: Audience = {everybody: true, why: 'SSH: administration', service: 'ssh'};

/** What ports serve that is for everybody (IANA; RFC 9114 for HTTP/3, RFC 8314 for mail). */
const PURPOSES: Readonly<Record<string, string>> = {
	'25/tcp': 'mail',
	'80/tcp': 'the web',
	'443/tcp': 'the web',
	'443/udp': 'the web, over HTTP/3',
	'465/tcp': 'mail',
	'587/tcp': 'mail',
	'993/tcp': 'mail',
	'995/tcp': 'mail',
};

/** Programs that serve everybody on these ports and on no others, by their processes. */
const SERVERS: ReadonlyArray<{
	readonly processes: readonly string[];
	readonly ports: readonly string[];
	readonly why: string;
}> = [
	// A resolver is no name server: open to everybody, it would be abused to flood others.
	{
		processes: ['named', 'nsd', 'knotd', 'pdns_server'],
		ports: ['53/tcp', '53/udp', '853/tcp'],
		why: 'name server',
	},
	// Both are old; those who use them upgrade to TLS on the same port (RFC 8314).
	{processes: ['dovecot'], ports: ['110/tcp', '143/tcp'], why: 'mail'},
	{
		processes: ['charon', 'charon-systemd', 'pluto', 'iked', 'racoon'],
		ports: ['500/udp', '4500/udp'],
		why: 'VPN (IPsec)',
	},
	{
		processes: ['prosody', 'ejabberd', 'beam.smp'],
		ports: ['5222/tcp', '5223/tcp', '5269/tcp'],
		why: 'chat (XMPP)',
	},
];

/** The port that wg(8) has in its examples, and that nearly everybody takes. */
const WIREGUARD = '51820/udp';

/** Why known services start closed, by their name in the table of services. */
const REASONS: Readonly<Record<string, string>> = {
	...byReason('database: rarely meant for everybody', [
		...['postgresql', 'MariaDB', 'MySQL', 'MongoDB', 'Elasticsearch'],
	]),
	...byReason('cache: rarely meant for everybody', ['redis', 'valkey', 'memcached']),
	...byReason('message broker: rarely meant for everybody', ['RabbitMQ', 'epmd']),
	...byReason('file sharing: for a local network', ['Samba', 'ksmbd', 'the NFS server']),
	...byReason('RPC: for a local network', [
		...['rpcbind', 'rpc.mountd', 'rpc.statd', 'rpc.rquotad', 'NIS'],
	]),
	...byReason('printing: for a local network', ['cups', 'cups-browsed']),
	...byReason('finds machines nearby: for a local network', ['avahi-daemon', 'systemd-resolved']),
	...byReason('resolver: abused where everybody can ask it', ['unbound', 'dnsmasq']),
	...byReason('answers to this machine come in without it', ['the DHCP client', 'the clock']),
	...byReason('web server, but not on 80 or 443', ['nginx', 'Apache']),
};

/** What a port is for that a server plainly offers to everybody: `the web`. Undefined for any other. */
export function publicPurposeOf({protocol, port}: Port): string | undefined {
	return PURPOSES[`${port}/${protocol}`];
}

/**
 * Whom something that listens is for. A service is taken to be for everybody by its program or by
 * the port that the service has everywhere; where both say nothing, it is not.
 */
export function audienceOf(listener: Candidate): Audience {
	const {port, protocol, process = '', unitOf, kernel, container, user} = listener;
	const known = findKnownService(listener);
	if (known?.kind === 'login' || (port === 22 && protocol === 'tcp' && process === '')) {
		return SSH;
	}

	const place = `${port}/${protocol}`;
	const purpose =
		publicPurposeOf({protocol, port}) ??
		SERVERS.find(({processes, ports}) => processes.includes(process) && ports.includes(place))
			?.why ??
		(kernel && known === undefined && place === WIREGUARD ? 'VPN (WireGuard)' : undefined) ??
		(process === 'openvpn' && port < 32_768 ? 'VPN (OpenVPN)' : undefined);
	if (purpose !== undefined && unitOf === undefined) {
		return {everybody: true, why: purpose};
	}

	return {
		everybody: false,
		why:
			REASONS[known?.name ?? ''] ??
			(container !== undefined
				? `container (${container}): not known to be for everybody`
				: unitOf !== undefined
					? `run by ${user ?? unitOf}: not known to be for everybody`
					: 'not known to be for everybody'),
	};
}

function byReason(why: string, names: readonly string[]): Readonly<Record<string, string>> {
	return Object.fromEntries(names.map((name) => [name, why]));
}
