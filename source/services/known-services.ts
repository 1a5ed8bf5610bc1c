/** A service that is known: what it is, and how it is made to listen on loopback alone. */
export type KnownService = {
	/** As a person calls it. */
	readonly name: string;
	/** The names of its processes, cut to 15 characters as the kernel cuts them. */
	readonly processes: readonly string[];
	/** The ports of sockets that the kernel opens for it: then no process has them. */
	readonly kernelPorts?: readonly number[];
	/**
	 * It takes a port of those that Linux gives to sockets which ask for any, another one at each start,
	 * unless its configuration names one. What to do then, without a full stop.
	 */
	readonly portByChance?: string;
	/** The beginning of its unit's name, where other services have processes of the same name. */
	readonly unit?: string;
	/**
	 * What it is for: a `service` for other machines, the `login` of the administrator, or something
	 * that listens on any machine, also on a workstation.
	 */
	readonly kind: 'service' | 'login' | 'everywhere';
	/** The units to stop, where they are not the units that hold the socket. */
	readonly units?: readonly string[];
	/** How it is bound to loopback. Absent where it cannot be, or where that makes no sense. */
	readonly loopback?: (listener: {
		readonly port: number;
		readonly unit?: string | undefined;
	}) => {readonly file: string; readonly setting: string} | undefined;
	/** What the user must know before it is stopped or bound, in one sentence without a full stop. */
	readonly note?: string;
};

/** The other cure for ports of NFS that change: nfsd(7), nfs.conf(5). */
const NFS_4 = 'or serve NFSv4 alone (vers3=n under [nfsd]), which needs 2049/tcp and nothing else';

const at =
	(file: string, setting: string): NonNullable<KnownService['loopback']> =>
	({port}) => ({file, setting: setting.replaceAll('PORT', `${port}`)});

/**
 * The table of services. Files are where Debian has them. Settings are from the manual of each program: sshd_config(5), cupsd.conf(5),
 * postconf(5), redis.conf, postgresql.conf ("Connections and Authentication"), mysqld's bind-address,
 * mongod.conf net.bindIp, memcached(1) -l, nginx's listen, Apache's Listen, elasticsearch network.host,
 * rabbitmq.conf, docker-run(1) --publish, dovecot, dnsmasq(8), unbound.conf(5), named.conf(5).
 */
export const KNOWN_SERVICES: readonly KnownService[] = [
	{
		name: 'sshd',
		processes: ['sshd', 'sshd-session', 'dropbear', 'tinysshd'],
		kind: 'login',
		loopback: at('/etc/ssh/sshd_config', 'ListenAddress 127.0.0.1'),
		note: 'Without it, or on loopback, nobody can log in over SSH from outside',
	},
	{
		name: 'nginx',
		processes: ['nginx'],
		kind: 'service',
		loopback: at('/etc/nginx/sites-enabled/', 'listen 127.0.0.1:PORT; in each server block'),
		note: 'On loopback it only makes sense behind another web server or a tunnel',
	},
	{
		name: 'Apache',
		processes: ['apache2', 'httpd'],
		kind: 'service',
		loopback: at('/etc/apache2/ports.conf', 'Listen 127.0.0.1:PORT'),
		note: 'On loopback it only makes sense behind another web server or a tunnel',
	},
	{
		name: 'postgresql',
		processes: ['postgres', 'postmaster'],
		kind: 'service',
		units: ['postgresql.service'],
		loopback({unit}) {
			// postgresql@15-main.service (postgresql-common)
			const [, version, cluster] = /^postgresql@([\d.]+)-([\w.]+)\.service$/.exec(unit ?? '') ?? [];
			return {
				file: `/etc/postgresql/${version ?? 'VERSION'}/${cluster ?? 'main'}/postgresql.conf`,
				setting: "listen_addresses = 'localhost'",
			};
		},
	},
	{
		name: 'MariaDB',
		processes: ['mariadbd'],
		kind: 'service',
		loopback: at('/etc/mysql/mariadb.conf.d/50-server.cnf', 'bind-address = 127.0.0.1'),
	},
	{
		name: 'MySQL',
		processes: ['mysqld'],
		kind: 'service',
		loopback: ({port}) => ({
			file: '/etc/mysql/mysql.conf.d/mysqld.cnf',
			// 33060 is the port of the X Protocol.
			setting: `${port === 33_060 ? 'mysqlx-bind-address' : 'bind-address'} = 127.0.0.1`,
		}),
	},
	{
		name: 'redis',
		processes: ['redis-server', 'redis-sentinel'],
		kind: 'service',
		loopback: at('/etc/redis/redis.conf', 'bind 127.0.0.1 -::1'),
	},
	{
		name: 'valkey',
		processes: ['valkey-server'],
		kind: 'service',
		loopback: at('/etc/valkey/valkey.conf', 'bind 127.0.0.1 -::1'),
	},
	{
		name: 'MongoDB',
		processes: ['mongod', 'mongos'],
		kind: 'service',
		loopback: at('/etc/mongod.conf', 'bindIp: 127.0.0.1, under net:'),
	},
	{
		name: 'memcached',
		processes: ['memcached'],
		kind: 'service',
		loopback: at('/etc/memcached.conf', '-l 127.0.0.1'),
	},
	{
		name: 'Elasticsearch',
		processes: ['java'],
		unit: 'elasticsearch',
		kind: 'service',
		loopback: at('/etc/elasticsearch/elasticsearch.yml', 'network.host: _local_'),
		note: 'On loopback a cluster of several machines falls apart',
	},
	{
		name: 'RabbitMQ',
		processes: ['beam.smp'],
		unit: 'rabbitmq-server',
		kind: 'service',
		loopback: rabbitmq,
		note: 'On loopback a cluster of several machines falls apart',
	},
	{
		name: 'epmd',
		processes: ['epmd'],
		kind: 'service',
		loopback: at('/etc/rabbitmq/rabbitmq-env.conf', 'ERL_EPMD_ADDRESS=127.0.0.1'),
		note: "Erlang's port mapper: RabbitMQ and others need it on this machine",
	},
	{
		name: 'postfix',
		processes: ['master', 'smtpd'],
		unit: 'postfix',
		kind: 'service',
		units: ['postfix.service'],
		loopback: at('/etc/postfix/main.cf', 'inet_interfaces = loopback-only'),
		note: 'On loopback it still sends mail, and takes in none from outside',
	},
	{
		name: 'exim',
		processes: ['exim4', 'exim'],
		kind: 'service',
		loopback: at(
			'/etc/exim4/update-exim4.conf.conf',
			"dc_local_interfaces='127.0.0.1 ; ::1', then run update-exim4.conf",
		),
		note: 'On loopback it still sends mail, and takes in none from outside',
	},
	{
		name: 'dovecot',
		processes: ['dovecot'],
		kind: 'service',
		loopback: at('/etc/dovecot/dovecot.conf', 'listen = 127.0.0.1, ::1'),
	},
	{
		name: 'BIND',
		processes: ['named'],
		kind: 'service',
		loopback: at(
			'/etc/bind/named.conf.options',
			'listen-on { 127.0.0.1; }; listen-on-v6 { ::1; };',
		),
	},
	{
		name: 'dnsmasq',
		processes: ['dnsmasq'],
		kind: 'service',
		loopback: at('/etc/dnsmasq.conf', 'listen-address=127.0.0.1 and bind-interfaces'),
		note: 'Where libvirt or a hotspot has started it, its guests need it',
	},
	{
		name: 'unbound',
		processes: ['unbound'],
		kind: 'service',
		loopback: at(
			'/etc/unbound/unbound.conf.d/loopback.conf',
			'interface: 127.0.0.1, under server:',
		),
	},
	{
		name: 'Samba',
		processes: ['smbd', 'nmbd'],
		kind: 'service',
		loopback: at('/etc/samba/smb.conf', 'interfaces = lo and bind interfaces only = yes'),
		note: 'It shares files with other machines: on loopback it has no use',
	},
	{
		name: 'cups',
		processes: ['cupsd'],
		kind: 'everywhere',
		units: ['cups.socket', 'cups.path', 'cups.service'],
		loopback: at('/etc/cups/cupsd.conf', 'Listen localhost:PORT'),
		note: 'On loopback this machine still prints, and shares no printer',
	},
	{
		name: 'cups-browsed',
		processes: ['cups-browsed'],
		kind: 'everywhere',
		note: 'It finds printers of the network: on loopback it has no use',
	},
	{
		name: 'avahi-daemon',
		processes: ['avahi-daemon'],
		kind: 'everywhere',
		units: ['avahi-daemon.socket', 'avahi-daemon.service'],
		note: 'It finds devices of the local network: on loopback it has no use',
	},
	{
		name: 'rpcbind',
		processes: ['rpcbind'],
		kind: 'everywhere',
		units: ['rpcbind.socket', 'rpcbind.service'],
		note: 'It serves NFS and NIS of other machines: on loopback it has no use, and without them neither',
	},
	{
		name: 'rpc.mountd',
		processes: ['rpc.mountd'],
		kind: 'service',
		units: ['nfs-server.service'],
		portByChance: `give it a fixed port (port= under [mountd] in /etc/nfs.conf), ${NFS_4}`,
		note: 'It serves NFS of other machines: on loopback it has no use',
	},
	{
		name: 'rpc.statd',
		processes: ['rpc.statd'],
		kind: 'everywhere',
		portByChance: `give it a fixed port (port= under [statd] in /etc/nfs.conf), ${NFS_4}`,
		note: 'It serves NFS locks of other machines: on loopback it has no use',
	},
	{
		name: 'rpc.rquotad',
		processes: ['rpc.rquotad'],
		kind: 'service',
		portByChance: 'give it a fixed port (-p PORT in /etc/default/quota)',
		note: 'It serves quotas of NFS: on loopback it has no use',
	},
	{
		name: 'NIS',
		processes: ['ypserv', 'rpc.yppasswdd', 'ypbind', 'rpc.ypxfrd'],
		kind: 'service',
		portByChance: 'give it a fixed port (-p PORT in /etc/default/nis)',
		note: 'It serves users and passwords of other machines: on loopback it has no use',
	},
	{
		name: 'the NFS server',
		processes: [],
		kernelPorts: [2049],
		kind: 'service',
		units: ['nfs-server.service'],
		note: 'The kernel serves NFS there: on loopback it has no use. NFSv4 needs this port alone',
	},
	{
		name: 'ksmbd',
		processes: ['ksmbd.mountd'],
		kernelPorts: [445],
		kind: 'service',
		units: ['ksmbd.service'],
		note: 'The kernel shares files with other machines there: on loopback it has no use',
	},
	{
		name: 'the IPsec daemon',
		processes: ['charon', 'charon-systemd', 'charon-nm', 'pluto', 'iked', 'racoon'],
		kind: 'everywhere',
		note: 'It negotiates keys on 500/udp and 4500/udp. The packets are esp, and come to 4500/udp where one end is behind NAT: open all that the peers use',
	},
	{
		name: 'systemd-resolved',
		processes: ['systemd-resolve', 'systemd-resolved'],
		kind: 'everywhere',
		note: 'It finds names of the local network; LLMNR=no and MulticastDNS=no in /etc/systemd/resolved.conf end that',
	},
	{
		name: 'the DHCP client',
		processes: [
			'dhclient',
			'dhcpcd',
			'udhcpc',
			'systemd-network',
			'systemd-networkd',
			'NetworkManager',
		],
		kind: 'everywhere',
		units: [],
		note: 'This machine gets its addresses through it; the rules accept the answers',
	},
	{
		name: 'the clock',
		processes: ['ntpd', 'chronyd', 'systemd-timesyn', 'systemd-timesyncd', 'openntpd'],
		kind: 'everywhere',
		note: 'It sets this clock, and needs no open port for that',
	},
];

function rabbitmq({port}: {readonly port: number}): {file: string; setting: string} {
	switch (port) {
		case 15_672:
			return {file: '/etc/rabbitmq/rabbitmq.conf', setting: 'management.tcp.ip = 127.0.0.1'};
		// The port for other nodes and for tools: that of AMQP plus 20,000.
		case 25_672:
			return {
				file: '/etc/rabbitmq/rabbitmq-env.conf',
				setting: 'SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"',
			};
		default:
			return {
				file: '/etc/rabbitmq/rabbitmq.conf',
				setting: `listeners.tcp.local = 127.0.0.1:${port}`,
			};
	}
}
