import {parseJson} from '../../lib/json.ts';
import {printable} from '../../lib/printable.ts';
import {describeInside, type InnerNetwork} from '../../services/guest-service.ts';
import {isInternalInterface} from '../../services/known-programs/find.ts';
import {DOCKER_BRIDGE} from '../containers/container.ts';
import {readContainers} from '../containers/find.ts';
import {run} from '../exec/run.ts';
import {readText} from '../files/read-text.ts';
import {readBoundSockets} from '../sockets/proc-net.ts';
import {type Interface, interfaceNames, isBridgePort} from './interfaces.ts';

const TIMEOUT_MS = 2000;

/** What ip(8) prints as JSON of a link and its addresses, and of a route, as far as it is used. */
type Link = {
	readonly ifname?: string;
	readonly master?: string;
	readonly linkinfo?: {readonly info_kind?: string};
	readonly addr_info?: ReadonlyArray<{readonly local?: string; readonly prefixlen?: number}>;
};
type Route = {readonly dev?: string};

/** A line of /proc/net/route, and one of ipv6_route less the kernel's own on loopback, for any destination. */
const DEFAULT_ROUTE4 = /^(\S+)\t0{8}\t\S+\t\w+(?:\t\d+){3}\t0{8}\t/gm;
const DEFAULT_ROUTE6 = /^0{32} 00 (?!.* lo$)/m;

/** Kinds of interfaces that are the ends of containers and virtual machines in a bridge (ip-link(8)). */
const ENDS: ReadonlySet<string> = new Set(['veth', 'tun', 'dummy', 'vxlan', 'netkit']);

/**
 * The interfaces with an address by which this machine has no default route: hosts may be behind them whose
 * way out this machine is. Empty where ip(8) is missing or has no JSON, as that of busybox.
 */
export async function findInnerNetworks(): Promise<readonly InnerNetwork[]> {
	const [links, routes] = await Promise.all([
		// With details it prints of each link what `ip -d link` does.
		readJson<Link>('-d', 'address', 'show'),
		// The file has the routes of all tables: without a default route among them there is none in the main one.
		DEFAULT_ROUTE6.test(readText('/proc/net/ipv6_route') ?? '')
			? readJson<Route>('-6', 'route', 'show', 'default')
			: [],
	]);
	// The routes of the main table.
	const routes4 = (readText('/proc/net/route') ?? '').matchAll(DEFAULT_ROUTE4);
	const ways = new Set([...[...routes4].map(([, dev]) => dev), ...routes.map(({dev}) => dev)]);
	const outer = new Set(
		links.flatMap(({master, linkinfo}) =>
			master !== undefined && !ENDS.has(linkinfo?.info_kind ?? '') ? [master] : [],
		),
	);
	const isDockers = ({ifname = '', linkinfo}: Link) =>
		DOCKER_BRIDGE.test(ifname) &&
		linkinfo?.info_kind === 'bridge' &&
		!ways.has(ifname) &&
		!outer.has(ifname);
	const isAmbiguous = links.some((link) => link.ifname?.startsWith('br-') && !isDockers(link));
	const found = links
		.filter(({ifname}) => ifname !== 'lo' && !ways.has(ifname))
		.map(({ifname = '', linkinfo, addr_info: list = []}) => ({
			name: printable(ifname),
			pattern: DOCKER_BRIDGE.test(ifname) && !isAmbiguous ? 'br-+' : printable(ifname),
			ofGuests:
				(linkinfo?.info_kind === 'bridge' || isInternalInterface(ifname)) && !outer.has(ifname),
			addresses: list.flatMap(({local}) => local ?? []),
			subnets: list
				// A link-local address may be behind each interface.
				.filter(({local = 'fe80'}) => !local.startsWith('fe80'))
				.map(({local, prefixlen}) => `${local}/${prefixlen}`),
		}))
		.filter((network) => network.addresses.length > 0);
	return found.some(({ofGuests}) => ofGuests) ? nameNetworks(found) : found;
}

/** The interfaces of this machine but loopback and ports of bridges, and whether only containers and guests are behind them. */
export function sidesOf(
	networks: readonly InnerNetwork[],
): ReadonlyArray<{readonly name: string; readonly inner: boolean}> {
	const guests = new Set(networks.filter(({ofGuests}) => ofGuests).map(({name}) => name));
	return [...(interfaceNames()?.keys() ?? [])]
		.filter((name) => name !== 'lo' && !isBridgePort(name))
		.map((name) => ({name, inner: guests.has(name) || isInternalInterface(name)}));
}

/** Names of networks that say no more than `docker0` and `podman0`. */
const DEFAULT_NETWORKS = new Set(['bridge', 'podman']);

async function nameNetworks(found: readonly InnerNetwork[]): Promise<readonly InnerNetwork[]> {
	const {networks} = await readContainers();
	return found.map((one) => {
		const network = networks.get(one.name);
		return network === undefined || DEFAULT_NETWORKS.has(network) ? one : {...one, network};
	});
}

/**
 * The interfaces with the names of those inside of this machine behind them: guests, and hosts to which it
 * gives addresses, as a hotspot does.
 */
export function nameInside(
	interfaces: readonly Interface[],
	networks: readonly InnerNetwork[],
): readonly Interface[] {
	const leases =
		networks.some(({ofGuests}) => !ofGuests) &&
		readBoundSockets('udp').some(({port}) => port === 67);
	const servers = leases ? readBoundSockets().filter(({port}) => port === 53) : [];
	const isShared = ({addresses}: InnerNetwork) =>
		servers.some(({address}) => addresses.includes(address));
	const inside = networks.filter((one) => one.ofGuests || isShared(one));
	return interfaces.map((one) => {
		const network = inside.find(({name}) => name === one.name);
		return network === undefined ? one : {...one, inside: describeInside(network)};
	});
}

async function readJson<T>(...args: readonly string[]): Promise<readonly T[]> {
	const {status, stdout} = await run('ip', ['-j', ...args], {timeout: TIMEOUT_MS});
	// Of what a filter leaves out, iproute2 prints empty objects.
	const found = status === 0 ? parseJson(stdout) : [];
	return Array.isArray(found) ? (found as readonly T[]) : [];
}
