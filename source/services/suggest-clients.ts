import {scopeOf} from '../lib/address-scope.ts';
import {contains, parseNetwork, printNetwork, stripPrefixLength} from '../lib/network.ts';
import {programOfInterface} from './known-programs/find.ts';
import {isPrivateNetwork} from './known-programs/vpns.ts';

/** For whom a port may be opened here, beside everybody. */
export type Suggestions = {
	/** As an opening is written: `from 192.0.2.0/24`, `on wg0`. The first one includes the client of this session. */
	readonly clients: readonly string[];
	/** The interfaces of private networks over others: `tailscale0`, `wg0`. */
	readonly vpns: readonly string[];
};

/**
 * The network of the client that this user is connected from, or its address alone; the networks that this machine
 * is in, less those of its containers; and its private networks over others.
 * @param interfaces with their addresses, as `192.0.2.10/24`
 * @param names of all interfaces, where they are known
 */
export function suggestClients(
	interfaces: ReadonlyArray<{readonly name: string; readonly addresses: readonly string[]}>,
	names: Iterable<string> | undefined,
	client: string | undefined,
): Suggestions {
	const vpns = [...(names ?? interfaces.map(({name}) => name))].filter(isPrivateNetwork).sort();
	const networks = interfaces
		.filter(({name}) => programOfInterface(name) === undefined)
		.flatMap(({addresses}) => addresses)
		.filter((cidr) => !['link-local', 'loopback'].includes(scopeOf(stripPrefixLength(cidr))))
		.map((cidr) => printNetwork(parseNetwork(cidr)));
	const mine = client === undefined ? [] : networks.filter((cidr) => isIn(cidr, client));
	const first = client === undefined || mine.length > 0 ? mine : [client];
	return {
		clients: [
			...[...new Set([...first, ...networks])].map((network) => `from ${network}`),
			...vpns.map((name) => `on ${name}`),
		],
		vpns,
	};
}

function isIn(network: string, address: string): boolean {
	return network.includes('/') && contains(network, address);
}
