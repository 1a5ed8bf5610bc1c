import {contains, normalizeAddress} from '../../lib/network.ts';
import type {AccessPort} from '../../ruleset/lockout.ts';
import {ask} from '../exec/run.ts';
import {listFolder, readText} from '../files/read-text.ts';
import {isLoopback, readBoundSockets} from './proc-net.ts';
import {allProcesses, commandNameOf, openFilesOf, socketsOf} from './processes.ts';

/** The tunnel that a client comes through. */
type Tunnel = {
	/** Its interface, or `IPsec`, which has none. */
	readonly name: string;
	/**
	 * The ports at which its packets arrive. None where this machine dials: they are answers then, which no
	 * rule blocks.
	 */
	readonly ports: readonly AccessPort[];
};

/**
 * Finds the tunnel over IP that the packets of a client come through: WireGuard; a tun device, with the
 * program that made it (OpenVPN, Tailscale, wireguard-go); the kernel's tunnels in UDP; and IPsec. GRE and
 * the like have no port, and are protocols of their own (protocol-uses.ts).
 */
export async function findTunnel(client: string): Promise<Tunnel | undefined> {
	const route = await answer('ip', '-o', 'route', 'get', client);
	const name = /\bdev (\S+)/.exec(route)?.[1];
	if (name === undefined || name === 'lo') {
		return undefined;
	}

	// The kind of an interface stands in a line of its own (ip-link(8)).
	const link = await answer('ip', '-d', 'link', 'show', 'dev', name);
	const ports =
		(await wireGuardPorts(name, client, link)) ??
		(/^\s+tun type tun/m.test(link) ? driverPorts(name) : kernelPorts(name, link));
	return ports === undefined ? findIpsec(client) : {name, ports};
}

async function answer(program: string, ...args: readonly string[]): Promise<string> {
	return ask(program, args).catch(() => '');
}

function port(number: number, tunnel: string, peer?: string): AccessPort {
	return {protocol: 'udp', first: number, last: number, tunnel, ...(peer ? {peer} : {})};
}

/** By wg(8), which also asks programs that do what the kernel does. */
async function wireGuardPorts(
	name: string,
	client: string,
	link: string,
): Promise<readonly AccessPort[] | undefined> {
	// The interface with its port; then each peer, with its end, its networks, and its keepalive.
	const [[, , number] = [], ...peers] = (await answer('wg', 'show', name, 'dump'))
		.trim()
		.split('\n')
		.map((line) => line.split('\t'));
	if (number === undefined) {
		return /^\s+wireguard\b/m.test(link)
			? kernelSockets().map((one) => port(one, name))
			: undefined;
	}

	const [, , end = '', , , , , keepalive = 'off'] =
		peers.find(([, , , networks = '']) =>
			networks.split(',').some((network) => network.includes('/') && contains(network, client)),
		) ?? [];
	// Who sends without being asked keeps the flow open by itself.
	return keepalive === 'off'
		? [
				port(
					Number(number),
					name,
					normalizeAddress(end.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')),
				),
			]
		: [];
}

/** Where wg(8) is missing: the kernel's own UDP sockets, less those that it has over TCP too (NFS). */
function kernelSockets(): readonly number[] {
	const sockets = readBoundSockets().filter(({inode}) => inode === '0');
	const overTcp = new Set(
		sockets.filter(({protocol}) => protocol === 'tcp').map((one) => one.port),
	);
	return [...new Set(sockets.map((one) => one.port).filter((one) => !overTcp.has(one)))];
}

/** They dial out, through every firewall; a port that is open only makes the way shorter. */
const DIALLERS = /^(?:tailscaled|netbird|zerotier-one)$/;

/**
 * Where the program behind a tun device waits for others (tuntap.rst of the kernel: its descriptor names the
 * interface). A UDP socket on a port that the kernel has chosen is that of a client, which dials.
 */
function driverPorts(name: string): readonly AccessPort[] {
	const driver = allProcesses().find(
		(pid) =>
			openFilesOf(pid).has('/dev/net/tun') &&
			listFolder(`/proc/${pid}/fdinfo`).some((fd) =>
				(readText(`/proc/${pid}/fdinfo/${fd}`) ?? '').split('\n').includes(`iff:\t${name}`),
			),
	);
	if (driver === undefined || DIALLERS.test(commandNameOf(driver))) {
		return [];
	}

	const inodes = socketsOf(driver);
	const [lowest = 32_768, highest = 60_999] = (
		readText('/proc/sys/net/ipv4/ip_local_port_range') ?? ''
	)
		.trim()
		.split(/\s+/)
		.map(Number);
	const waiting = readBoundSockets().filter(
		({protocol, address, port: number, inode}) =>
			inodes.has(inode) &&
			!isLoopback(address) &&
			(protocol === 'tcp' || number < lowest || number > highest),
	);
	return [
		...new Map(
			waiting.map(({protocol, port: number}) => [
				`${number}/${protocol}`,
				{...port(number, name), protocol},
			]),
		).values(),
	];
}

/** The port that a tunnel of the kernel in UDP has at both ends: VXLAN, Geneve, and others of ip-link(8). */
function kernelPorts(name: string, link: string): readonly AccessPort[] | undefined {
	const number = /^\s+(?:vxlan|geneve|bareudp) .*\b(?:dstport|port) (\d+)\b(?! \d)/m.exec(
		link,
	)?.[1];
	return number === undefined ? undefined : [port(Number(number), name)];
}

/** IPsec has no interface: its policies say which packets come in it, and its states whether in UDP (NAT). */
async function findIpsec(client: string): Promise<Tunnel | undefined> {
	const [policies, states] = await Promise.all([
		answer('ip', 'xfrm', 'policy'),
		answer('ip', 'xfrm', 'state'),
	]);
	const policy = policies.split(/^(?=src )/m).find((block) => {
		const [, source] = /^src (\S+) dst \S+[^\n]*\n\s+dir in /.exec(block) ?? [];
		return source !== undefined && contains(source, client);
	});
	const peer = /\btmpl src (\S+)/.exec(policy ?? '')?.[1];
	if (policy === undefined || peer === undefined) {
		return undefined;
	}

	const state = states
		.split(/^(?=src )/m)
		.find((block) => block.startsWith(`src ${peer} `) && block.includes('encap type espin'));
	const inUdp = /\bencap type \S+ sport \d+ dport (\d+)/.exec(state ?? '')?.[1];
	// IKE renews the keys from either side (RFC 7296, 2).
	const numbers = inUdp === undefined ? [500] : [500, Number(inUdp)];
	const from = peer === '0.0.0.0' || peer === '::' ? undefined : peer;
	return {name: 'IPsec', ports: numbers.map((one) => port(one, 'IPsec', from))};
}
