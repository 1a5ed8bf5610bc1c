import type {Interface} from '../host/machine/interfaces.ts';
import {familyOf, parseNetwork, stripPrefixLength} from '../lib/network.ts';
import {sampleNetwork} from './sample-addresses.ts';

/** The machine's own addresses. */
export function ownAddresses(interfaces: readonly Interface[]): ReadonlySet<string> {
	return new Set(interfaces.flatMap(({addresses}) => addresses.map(stripPrefixLength)));
}

/**
 * Whether packets can come from an address: not the machine's own, and none that is the broadcast address
 * of one of its networks, which the kernel drops (fib_validate_source(), "martian source").
 */
export function sourceFilter(interfaces: readonly Interface[]): (address: string) => boolean {
	const own = ownAddresses(interfaces);
	const broadcast = new Set(
		interfaces
			.flatMap(({addresses}) => addresses)
			.filter((cidr) => familyOf(cidr) === 4 && Number(cidr.split('/')[1]) < 31)
			.flatMap((cidr) => {
				const {first, last} = sampleNetwork(parseNetwork(cidr));
				return [first[0] ?? '', last[0] ?? ''];
			}),
	);
	return (address) => !own.has(address) && !broadcast.has(address);
}
