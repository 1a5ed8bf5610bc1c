import type {Backend} from '../../source/host/netfilter/iptables.ts';
import type {Family} from '../../source/lib/network.ts';
import type {Container, ContainerProgram} from '../_helpers/lab/container-host.ts';
import type {Suite} from '../_helpers/lab/debian-root.ts';
import type {Matrix, Port} from './published.ts';

/** One kind of host: its system, the program whose containers it has, and how that is set up. */
export type Bed = {
	readonly suite: Suite;
	readonly program: ContainerProgram;
	readonly backend: Backend;
	/** What /etc/docker/daemon.json says beyond Docker's own values. */
	readonly daemon?: Readonly<Record<string, unknown>>;
	/** The families of what is published on all addresses: of Docker's first network, and of one without IPv6. */
	readonly published: readonly Family[];
	readonly composed: readonly Family[];
	/** Published over IPv6 too, but the program has not made the rule. */
	readonly unmade?: readonly Port[];
};

type Families = Pick<Bed, 'published' | 'composed' | 'unmade'>;

/** Docker's rules for IPv6, which both versions still call an experiment, and no proxy in user space. */
export const IP6TABLES = {
	ipv6: true,
	'fixed-cidr-v6': 'fd00:d0c::/64',
	experimental: true,
	ip6tables: true,
	'userland-proxy': false,
};

/** Docker's proxy in user space answers over IPv6 for what has IPv4 alone; podman has no proxy. */
export const BEDS: readonly Bed[] = [
	{suite: 'bookworm', program: 'docker', backend: 'nft', published: [4, 6], composed: [4, 6]},
	{suite: 'trixie', program: 'podman', backend: 'nft', published: [4], composed: [4]},
	{
		suite: 'trixie',
		program: 'docker',
		backend: 'nft',
		daemon: IP6TABLES,
		published: [4, 6],
		composed: [4],
	},
	{suite: 'bookworm', program: 'podman', backend: 'nft', published: [4], composed: [4]},
	{suite: 'bookworm', program: 'docker', backend: 'legacy', published: [4, 6], composed: [4, 6]},
	{suite: 'trixie', program: 'docker', backend: 'legacy', published: [4, 6], composed: [4, 6]},
	{
		suite: 'bookworm',
		program: 'podman',
		backend: 'legacy',
		published: [4],
		composed: [4],
		// ip6tables-legacy 1.8.9 takes the first DNAT rule of a chain for these, which netavark asks for.
		unmade: ['8085/tcp', '8088/tcp', '8089/tcp'],
	},
];

/** The network that has IPv6, and a second one. */
export const NETWORKS = [
	['--ipv6', '--subnet', 'fd00:dead::/64', 'fww6'],
	['--subnet', '10.77.0.0/24', 'fww4'],
];

/** Published on all addresses, udp too, a range, on one address, on loopback, on the host's network, over IPv6, on two networks. */
export const CONTAINERS: readonly Container[] = [
	{
		name: 'many',
		options: ['8080:80', '8086:80', '9000-9003:9000-9003', '5300:53/udp', '5301:53/udp'].flatMap(
			(port) => ['--publish', port],
		),
		services: ['tcp:80', 'tcp:9000', 'tcp:9001', 'tcp:9002', 'tcp:9003', 'udp:53'],
	},
	{name: 'own', options: ['--publish', '127.0.0.1:8081:80'], services: ['tcp:80']},
	{name: 'host', options: ['--network', 'host'], services: ['tcp:8082', 'udp:8082']},
	{
		name: 'bound',
		options: ['--publish', '192.0.2.1:8083:80', '--publish', '192.0.2.1:8087:80'],
		services: ['tcp:80'],
	},
	{
		name: 'six',
		options: ['--network', 'fww6', '--publish', '8084:80', '--publish', '8088:80'],
		services: ['tcp:80'],
	},
	{
		name: 'both',
		options: ['--network', 'fww4', '--publish', '8085:80', '--publish', '8089:80'],
		services: ['tcp:80'],
	},
];

/** What the policy opens: to anybody, to the client's network, and to another one. */
export const OPENINGS = [
	...['22/tcp', '8080/tcp', '9000-9001/tcp', '5300/udp', '8088/tcp', '8090/tcp'],
	...['8083/tcp from 192.0.2.0/24', '8084/tcp from 198.51.100.0/24', '8089/tcp from 2001:db8::/64'],
	// Nothing listens there.
	'7000/tcp',
];

/** Where the client can reach each port while there is no firewall. */
export function unfiltered({published, composed, unmade = []}: Families): Matrix {
	const matrix: Matrix = {
		'22/tcp': [4, 6],
		'7000/tcp': [],
		'8080/tcp': published,
		'8081/tcp': [],
		'8082/tcp': [4, 6],
		'8082/udp': [4, 6],
		'8083/tcp': [4],
		'8084/tcp': [4, 6],
		'8085/tcp': [4, 6],
		'8086/tcp': published,
		'8087/tcp': [4],
		'8088/tcp': [4, 6],
		'8089/tcp': [4, 6],
		'8090/tcp': composed,
		'8091/tcp': composed,
		'9000/tcp': published,
		'9001/tcp': published,
		'9002/tcp': published,
		'9003/tcp': published,
		'9004/tcp': [],
		'5300/udp': published,
		'5301/udp': published,
		'5302/udp': [],
	};
	return {...matrix, ...Object.fromEntries(unmade.map((port) => [port, [4] as const]))};
}

/** The same under the policy. */
const OPENED: Readonly<Partial<Record<Port, readonly Family[]>>> = {
	'22/tcp': [4, 6],
	'8080/tcp': [4, 6],
	'8083/tcp': [4],
	'8088/tcp': [4, 6],
	'8089/tcp': [6],
	'8090/tcp': [4, 6],
	'9000/tcp': [4, 6],
	'9001/tcp': [4, 6],
	'5300/udp': [4, 6],
};

export function filtered(bed: Families): Matrix {
	return Object.fromEntries(
		Object.entries(unfiltered(bed)).map(([port, families]) => [
			port,
			families.filter((family) => OPENED[port as Port]?.includes(family)),
		]),
	);
}
