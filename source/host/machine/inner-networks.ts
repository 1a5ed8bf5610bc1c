import {z} from 'zod';
import {printable} from '../../lib/printable.ts';
import type {InnerNetwork} from '../../services/guest-service.ts';
import {run} from '../exec/run.ts';

const TIMEOUT_MS = 2000;

const LINKS = z.array(
	z.object({
		ifname: z.string().default(''),
		master: z.string().optional(),
		linkinfo: z.object({info_kind: z.string().optional()}).optional(),
		addr_info: z.array(z.object({local: z.string().optional()})).optional(),
	}),
);
const ROUTES = z.array(z.object({dev: z.string().optional()}));

/** Kinds of interfaces that are the ends of containers and virtual machines in a bridge (ip-link(8)). */
const ENDS: ReadonlySet<string> = new Set(['veth', 'tun', 'dummy', 'vxlan', 'netkit']);

/**
 * The interfaces with an address by which this machine has no default route: hosts may be behind them whose
 * way out this machine is. Empty where ip(8) is missing or has no JSON, as that of busybox.
 */
export async function findInnerNetworks(): Promise<readonly InnerNetwork[]> {
	const [links, addresses, ...routes] = await Promise.all([
		readJson(LINKS, '-d', 'link', 'show'),
		readJson(LINKS, 'address', 'show'),
		readJson(ROUTES, '-4', 'route', 'show', 'default'),
		readJson(ROUTES, '-6', 'route', 'show', 'default'),
	]);
	const ways = new Set(routes.flat().map(({dev}) => dev));
	const outer = new Set(
		links.flatMap(({master, linkinfo}) =>
			master !== undefined && !ENDS.has(linkinfo?.info_kind ?? '') ? [master] : [],
		),
	);
	return links
		.filter(({ifname}) => ifname !== 'lo' && !ways.has(ifname))
		.map(({ifname, linkinfo}) => ({
			name: printable(ifname),
			ofGuests: linkinfo?.info_kind === 'bridge' && !outer.has(ifname),
			addresses: addresses
				.filter((one) => one.ifname === ifname)
				.flatMap(({addr_info: list = []}) => list.flatMap(({local}) => local ?? [])),
		}))
		.filter((network) => network.addresses.length > 0);
}

async function readJson<T>(
	form: z.ZodType<readonly T[]>,
	...args: string[]
): Promise<readonly T[]> {
	const {status, stdout} = await run('ip', ['-j', ...args], {timeout: TIMEOUT_MS});
	try {
		// iproute2 prints empty objects for what a filter leaves out.
		return status === 0 && stdout.trim() !== '' ? form.parse(JSON.parse(stdout)) : [];
	} catch {
		return [];
	}
}
