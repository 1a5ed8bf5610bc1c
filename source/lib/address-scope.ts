import ipaddr from 'ipaddr.js';
import {stripPrefixLength} from './network.ts';

/**
 * From where an address can be reached. `private` comprises unique local addresses (RFC 4193) and
 * the addresses of carriers' NAT (RFC 6598). No machine has an address of scope `other`:
 * documentation, multicast.
 */
export type Scope = 'public' | 'private' | 'link-local' | 'loopback' | 'other';

const SCOPES: Readonly<Record<string, Scope>> = {
	unicast: 'public',
	'6to4': 'public',
	teredo: 'public',
	private: 'private',
	carrierGradeNat: 'private',
	uniqueLocal: 'private',
	linkLocal: 'link-local',
	loopback: 'loopback',
};

/** The scope of an address, by the IANA special-purpose address registries. */
export function scopeOf(address: string): Scope {
	return ipaddr.isValid(address) ? (SCOPES[ipaddr.parse(address).range()] ?? 'other') : 'other';
}

/** An address that an interface has. */
export type ScopedAddress = {
	/** With its prefix length, as the interface has it. */
	readonly cidr: string;
	readonly scope: Scope;
};

/** Whether machines on the internet can connect to this machine at all, in one sentence. */
export function describePublicAddress(addresses: readonly ScopedAddress[]): string {
	const reachable = addresses
		.filter(({scope}) => scope === 'public')
		.map(({cidr}) => stripPrefixLength(cidr));
	if (reachable.length > 0) {
		const [first, ...more] = reachable;
		return `The internet can reach this machine at ${first}${more.length > 0 ? ` and ${more.length} more` : ''}: no NAT stands in front of it`;
	}

	return addresses.some(({scope}) => scope === 'private')
		? 'This machine has no public address: only its own networks reach it, and what its router or provider forwards'
		: 'No address was found by which others could reach this machine';
}
