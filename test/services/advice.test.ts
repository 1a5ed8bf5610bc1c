import {describe, expect, it} from 'vitest';
import {type Advised, adviseOn} from '../../source/services/advice.ts';

const advise = (listener: Partial<Advised>) => adviseOn({protocol: 'tcp', port: 4000, ...listener});

describe('how to stop it', () => {
	it.each<[string, Partial<Advised>, string | undefined]>([
		['a service', {unit: 'nginx.service'}, 'systemctl disable --now nginx.service'],
		[
			'a service that its socket would start again',
			{unit: 'foo.service', socketUnit: 'foo.socket'},
			'systemctl disable --now foo.socket foo.service',
		],
		[
			'cups, which a file would start again as well',
			{process: 'cupsd', unit: 'cups.service', socketUnit: 'cups.socket'},
			'systemctl disable --now cups.socket cups.path cups.service',
		],
		[
			'all clusters of PostgreSQL',
			{process: 'postgres', unit: 'postgresql@15-main.service'},
			'systemctl disable --now postgresql.service',
		],
		[
			"a user's own service",
			{process: 'syncthing', unit: 'syncthing.service', unitOf: 'alice'},
			'systemctl --user --machine=alice@ disable --now syncthing.service',
		],
		[
			'a unit with an escaped name',
			{unit: String.raw`a\x2db.service`},
			String.raw`systemctl disable --now 'a\x2db.service'`,
		],
		[
			'a container by the port that it publishes',
			{process: 'docker-proxy', unit: 'docker.service', container: 'Docker', port: 8080},
			'docker stop $(docker ps --quiet --filter publish=8080/tcp)',
		],
		['a process that no service has started', {process: 'node'}, undefined],
		[
			'what gives this machine its address, not at all',
			{process: 'dhclient', unit: 'networking.service'},
			undefined,
		],
	])('%s', (_, listener, command) => {
		expect(advise(listener).stop).toBe(command);
	});

	it('quotes what a shell would take for more than a name', () => {
		const {stop} = advise({unit: "x'; reboot.service", unitOf: '$(id)'});
		expect(stop).toBe(
			String.raw`systemctl --user --machine='$(id)@' disable --now 'x'\''; reboot.service'`,
		);
	});
});

describe('how to bind it to loopback', () => {
	it.each<[Partial<Advised>, string, string]>([
		[{process: 'sshd'}, '/etc/ssh/sshd_config', 'ListenAddress 127.0.0.1'],
		[
			{process: 'postgres', unit: 'postgresql@15-main.service'},
			'/etc/postgresql/15/main/postgresql.conf',
			"listen_addresses = 'localhost'",
		],
		[{process: 'mariadbd'}, '/etc/mysql/mariadb.conf.d/50-server.cnf', 'bind-address = 127.0.0.1'],
		[{process: 'mysqld'}, '/etc/mysql/mysql.conf.d/mysqld.cnf', 'bind-address = 127.0.0.1'],
		[
			{process: 'mysqld', port: 33_060},
			'/etc/mysql/mysql.conf.d/mysqld.cnf',
			'mysqlx-bind-address = 127.0.0.1',
		],
		[{process: 'redis-server'}, '/etc/redis/redis.conf', 'bind 127.0.0.1 -::1'],
		[{process: 'mongod'}, '/etc/mongod.conf', 'bindIp: 127.0.0.1, under net:'],
		[{process: 'memcached'}, '/etc/memcached.conf', '-l 127.0.0.1'],
		[
			{process: 'nginx', port: 80},
			'/etc/nginx/sites-enabled/',
			'listen 127.0.0.1:80; in each server block',
		],
		[{process: 'apache2', port: 81}, '/etc/apache2/ports.conf', 'Listen 127.0.0.1:81'],
		[{process: 'cupsd', port: 631}, '/etc/cups/cupsd.conf', 'Listen localhost:631'],
		[
			{process: 'master', unit: 'postfix@-.service'},
			'/etc/postfix/main.cf',
			'inet_interfaces = loopback-only',
		],
		[
			{process: 'java', unit: 'elasticsearch.service'},
			'/etc/elasticsearch/elasticsearch.yml',
			'network.host: _local_',
		],
		[
			{process: 'beam.smp', unit: 'rabbitmq-server.service', port: 5672},
			'/etc/rabbitmq/rabbitmq.conf',
			'listeners.tcp.local = 127.0.0.1:5672',
		],
		[
			{process: 'systemd', unit: 'ssh.service', socketUnit: 'ssh.socket', bySocket: true, port: 22},
			'/etc/systemd/system/ssh.socket.d/loopback.conf',
			'ListenStream= and then ListenStream=127.0.0.1:22, under [Socket]',
		],
		[
			{process: 'docker-proxy', container: 'Docker', port: 8080},
			'the command or the compose file that starts it',
			'-p 127.0.0.1:8080:PORT',
		],
	])('%o', (listener, file, setting) => {
		expect(advise(listener).loopback).toEqual({file, setting});
	});

	it.each<Partial<Advised>>([
		{process: 'avahi-daemon', unit: 'avahi-daemon.service', protocol: 'udp', port: 5353},
		{process: 'rpcbind', unit: 'rpcbind.service', port: 111},
		{process: 'systemd', unit: 'rpcbind.service', socketUnit: 'rpcbind.socket', bySocket: true},
	])('not where that makes no sense, and says so: %o', (listener) => {
		const {loopback, note} = advise(listener);
		expect(loopback).toBeUndefined();
		expect(note).toMatch(/no use/);
	});

	it('a program whose name another service bears is not taken for it', () => {
		expect(advise({process: 'java', unit: 'tomcat9.service'}).loopback).toBeUndefined();
		expect(advise({process: 'master'}).loopback).toBeUndefined();
	});
});

it('says that rules here do not shut what Docker publishes, and calls things by their names', () => {
	expect(advise({process: 'docker-proxy', container: 'Docker'}).note).toMatch(/bypasses INPUT/);
	expect(advise({process: 'postgres'}).name).toBe('postgresql');
	expect(advise({kernel: true, protocol: 'udp', port: 51_820})).toMatchObject({
		name: 'the kernel',
		stop: undefined,
	});
});

describe('a port that changes at each start', () => {
	it.each<[Partial<Advised>, RegExp]>([
		[{process: 'rpc.mountd', port: 35_211}, /each start of rpc\.mountd: .*nfs\.conf.*NFSv4 alone/],
		[{process: 'rpc.statd', port: 45_211, protocol: 'udp'}, /each start of rpc\.statd.*nfs\.conf/],
		[{process: 'rpc.rquotad', port: 40_001}, /-p PORT in \/etc\/default\/quota/],
		[{kernel: true, port: 38_111}, /lock manager.*\[lockd\]/],
	])('is named as such, with what to do: %j', (listener, text) => {
		expect(advise(listener).portByChance).toMatch(text);
	});

	it.each<[string, Partial<Advised>]>([
		['where the configuration names one', {process: 'rpc.mountd', port: 20_048}],
		['of WireGuard', {kernel: true, protocol: 'udp', port: 51_820}],
		['of the NFS server itself', {kernel: true, port: 2049}],
		['of another program', {process: 'transmission-da', port: 51_413}],
	])('it is not %s', (_, listener) => {
		expect(advise(listener).portByChance).toBeUndefined();
	});
});
