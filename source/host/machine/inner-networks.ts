import {printable} from '../../lib/printable.ts';
import type {InnerNetwork} from '../../services/guest-service.ts';
import {run} from '../exec/run.ts';

const TIMEOUT_MS = 2000;

/** What ip(8) prints as JSON of a link and its addresses, and of a route, as far as it is used. */
type Link = {
	readonly ifname?: string;
	readonly master?: string;
	readonly linkinfo?: {readonly info_kind?: string};
	readonly addr_info?: ReadonlyArray<{readonly local?: string}>;
};
type Route = {readonly dev?: string};

/** Kinds of interfaces that are the ends of containers and virtual machines in a bridge (ip-link(8)). */
const ENDS: ReadonlySet<string> = new Set(['veth', 'tun', 'dummy', 'vxlan', 'netkit']);

/**
 * The interfaces with an address by which this machine has no default route: hosts may be behind them whose
 * way out this machine is. Empty where ip(8) is missing or has no JSON, as that of busybox.
 */
export async function findInnerNetworks(): Promise<readonly InnerNetwork[]> {
	const [links, addresses, ...routes] = await Promise.all([
		readJson<Link>('-d', 'link', 'show'),
		readJson<Link>('address', 'show'),
		readJson<Route>('-4', 'route', 'show', 'default'),
		readJson<Route>('-6', 'route', 'show', 'default'),
	]);
	const ways = new Set(routes.flat().map(({dev}) => dev));
	const outer = new Set(
		links.flatMap(({master, linkinfo}) =>
			master !== undefined && !ENDS.has(linkinfo?.info_kind ?? '') ? [master] : [],
		),
	);
	return links
		.filter(({ifname}) => ifname !== 'lo' && !ways.has(ifname))
		.map(({ifname = '', linkinfo}) => ({
			name: printable(ifname),
			ofGuests: linkinfo?.info_kind === 'bridge' && !outer.has(ifname),
			addresses: addresses
				.filter((one) => one.ifname === ifname)
				.flatMap(({addr_info: list = []}) => list.flatMap(({local}) => local ?? [])),
		}))
		.filter((network) => network.addresses.length > 0);
}

async function readJson<T>(...args: readonly string[]): Promise<readonly T[]> {
	const {status, stdout} = await run('ip', ['-j', ...args], {timeout: TIMEOUT_MS});
	try {
		// Of what a filter leaves out, iproute2 prints empty objects.
		const found: unknown = status === 0 ? JSON.parse(stdout) : [];
		return Array.isArray(found) ? (found as readonly T[]) : [];
	} catch {
		return [];
	}
}
