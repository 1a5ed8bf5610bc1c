import {type Debian, PROGRAM} from '../_helpers/lab/debian.ts';
import {succeed} from '../_helpers/lab/programs.ts';

const BRIDGE = '172.17.0.1';
/** Two containers of the machine, as Docker has them: a port of this machine, one of the container, its address. */
const CONTAINERS = [
	{name: 'grafana', image: 'grafana/grafana:11.2', port: 3000, to: 3000, address: '172.17.0.2'},
	{name: 'shop-api-1', image: 'ghcr.io/shop/api:2', port: 8080, to: 80, address: '172.17.0.3'},
] as const;

/** The machine of the pictures: a server as many are, the same on whatever it is made. */
export const FILES = {
	'/opt/services/listen.js': `
for (const word of process.argv.slice(2)) {
	const [host, port] = word.split(' ');
	require('node:net').createServer((socket) => socket.end()).listen(Number(port), host);
}
`,
	'/etc/systemd/system/nginx.service': unit('nginx', ':: 80', ':: 443'),
	'/etc/systemd/system/postgresql.service': unit('postgres', '0.0.0.0 5432'),
	'/etc/systemd/system/redis-server.service': unit('redis-server', '127.0.0.1 6379'),
	'/etc/systemd/system/docker.service': unit(
		'docker-proxy',
		...CONTAINERS.map(({port}) => `0.0.0.0 ${port}`),
	),
	...Object.fromEntries(
		CONTAINERS.map(({name, image, address}) => [
			`/var/lib/docker/containers/${name}/config.v2.json`,
			JSON.stringify({
				...{ID: name, Name: `/${name}`, Config: {Image: image}, State: {Running: true}},
				NetworkSettings: {
					Networks: {bridge: {NetworkID: 'b0', Gateway: BRIDGE, IPAddress: address}},
				},
			}),
		]),
	),
};

/** What Docker makes of the two containers, in iptables. */
const DOCKER = `\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
${CONTAINERS.map(({port, to, address}) => `-A DOCKER ! -i docker0 -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${address}:${to}\n`).join('')}COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 -j ACCEPT
${CONTAINERS.map(({to, address}) => `-A DOCKER -d ${address}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport ${to} -j ACCEPT\n`).join('')}-A DOCKER-USER -j RETURN
COMMIT
`;

/** Who answers stands for the real thing, under its name. */
function unit(program: string, ...listens: readonly string[]): string {
	return `[Service]
ExecStartPre=/bin/ln -sf /usr/local/bin/node /run/${program}
ExecStart=/run/${program} /opt/services/listen.js ${listens.map((word) => `"${word}"`).join(' ')}
`;
}

/** Starts its services and gives it what would differ from one run to the next. */
export async function setScene({host, install, init}: Debian): Promise<void> {
	await install();
	await host.must('ln', ['-s', PROGRAM, '/usr/local/bin/fw-wizard']);
	// Containers are imitated: a bridge with one end of a cable in it, and the rules.
	await host.ip([
		'link add docker0 type bridge',
		`address add ${BRIDGE}/16 dev docker0`,
		'link add veth0 type veth peer name veth1',
		...['veth0 master docker0 addrgenmode none', 'veth1 addrgenmode none', 'docker0'].map(
			(device) => `link set ${device} up`,
		),
		'address flush dev docker0 scope link',
	]);
	// Inside, /proc/sys can only be read.
	const network = ['nsenter', `--target=${init()}`, '--net', '--'];
	await succeed([...network, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
	await host.must('iptables-restore', ['--noflush'], {input: DOCKER});
	await host.must('systemctl', ['start', 'nginx', 'postgresql', 'redis-server', 'docker']);
	// Made from the address of the network card, which is another each time.
	await host.ip(['address flush dev eth0 scope link', 'address add fe80::1/64 dev eth0 nodad']);
	// Somebody was shut out by hand once.
	await host.must('iptables', ['-A', 'INPUT', '-s', '198.51.100.66', '-j', 'DROP']);
}
