import {distance} from 'fastest-levenshtein';
import {isPort} from '../lib/port-ranges.ts';
import {IP_PROTOCOLS} from './ip-protocols.ts';

export type Protocol = 'tcp' | 'udp';

export const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp'];

/** The same of each protocol. */
export function perProtocol<T>(of: (protocol: Protocol) => T): Readonly<Record<Protocol, T>> {
	return {tcp: of('tcp'), udp: of('udp')};
}

/** The port of a service, from the services(5) file of the machine or from our own table. */
export type ServicePort = {
	readonly protocol: Protocol;
	readonly port: number;
	/** The last port of a range; only our own table has ranges. */
	readonly last?: number;
};

type Table = ReadonlyMap<string, readonly ServicePort[]>;

/** The ports of each name. What is known of a machine may be read when it is asked for. */
export type Services = Pick<Table, 'get' | 'has' | 'keys'>;

/**
 * Names that people type, for machines without /etc/services and for names that it lacks. Numbers are
 * from the IANA Service Name and Transport Protocol Port Number Registry, or from the documentation
 * of the program where IANA has none.
 */
const OWN_TABLE = `
ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
smtp 25/tcp
domain 53/tcp 53/udp
dns 53/tcp 53/udp
bootps 67/udp
dhcp 67/udp
tftp 69/udp
http 80/tcp
kerberos 88/tcp 88/udp
pop3 110/tcp
sunrpc 111/tcp 111/udp
ntp 123/udp
imap2 143/tcp
imap 143/tcp
snmp 161/udp
ldap 389/tcp
https 443/tcp 443/udp
microsoft-ds 445/tcp
smb 445/tcp
submissions 465/tcp
syslog 514/udp
submission 587/tcp
ipp 631/tcp
ldaps 636/tcp
rsync 873/tcp
imaps 993/tcp
pop3s 995/tcp
openvpn 1194/udp
mqtt 1883/tcp
nfs 2049/tcp
mysql 3306/tcp
rdp 3389/tcp
svn 3690/tcp
ipsec-nat-t 4500/udp
sip 5060/tcp 5060/udp
xmpp-client 5222/tcp
xmpp-server 5269/tcp
postgresql 5432/tcp
vnc 5900/tcp
redis 6379/tcp
irc 6667/tcp
git 9418/tcp
minecraft 25565/tcp
wireguard 51820/udp
mosh 60000-61000/udp
`;

/** Our own table, for machines without /etc/services. */
export const OWN_SERVICES: Table = parseServices(OWN_TABLE);

/**
 * Reads services(5): a line is `name port/protocol [alias …]`, and `#` starts a comment. Protocols
 * other than TCP and UDP and lines of another form are ignored, since the file is not ours to check.
 * A line may have several `port/protocol` fields, as in our own table.
 */
export function parseServices(text: string): Table {
	const services = new Map<string, ServicePort[]>();
	for (const line of text.split('\n')) {
		const fields = (line.split('#')[0] ?? '').trim().split(/\s+/);
		const ports = fields.flatMap((field) => parseServicePort(field) ?? []);
		const names = fields.filter((field) => field !== '' && !field.includes('/'));
		for (const name of ports.length > 0 ? names : []) {
			const all = [...(services.get(name.toLowerCase()) ?? []), ...ports];
			services.set(
				name.toLowerCase(),
				all.filter((port, index) => all.findIndex((other) => samePort(other, port)) === index),
			);
		}
	}

	return services;
}

/** The services of the machine, and our own for names that it lacks. */
export function withOwnServices(machine: Table): Table {
	return new Map([...OWN_SERVICES, ...machine]);
}

/**
 * The word of an opening that is most like `name`, if it is so like it that `name` may be a typing
 * error: a protocol, or a service of our own table, which has the services that people open.
 * /etc/services has hundreds of others.
 */
export function suggestService(name: string, services: Services): string | undefined {
	const typed = name.toLowerCase();
	// Of equally similar names one with the same first letter wins.
	const rank = (known: string) => 4 * distance(typed, known) + (known[0] === typed[0] ? 0 : 2);
	const own = [...services.keys()].filter((known) => OWN_SERVICES.has(known));
	const nearest = [...own, 'mdns', 'ssdp', ...IP_PROTOCOLS.map(({name}) => name)].reduce<
		string | undefined
	>((best, known) => (best === undefined || rank(known) < rank(best) ? known : best), undefined);
	// In a short word, two other letters make another word: "exit" is no "git".
	const most = typed.length < 6 ? 1 : Math.ceil(typed.length / 3);
	return nearest !== undefined && distance(typed, nearest) <= most ? nearest : undefined;
}

function parseServicePort(field: string): ServicePort | undefined {
	const match = /^(\d{1,5})(?:-(\d{1,5}))?\/(tcp|udp)$/.exec(field);
	const [port, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
	return match && isPort(port) && isPort(last) && port <= last
		? {protocol: match[3] as Protocol, port, ...(last === port ? {} : {last})}
		: undefined;
}

function samePort(a: ServicePort, b: ServicePort): boolean {
	return a.protocol === b.protocol && a.port === b.port && a.last === b.last;
}
