import ipaddr from 'ipaddr.js';
import {scopeOf} from './address-scope.ts';

/** Anything that JSON can hold. */
type Json = unknown;

/** Finds what may be an address in a text. IPv6 comes first, since it may end with an IPv4 address. */
const CANDIDATE =
	/(?<![\w:.])(?:[\da-f]{0,4}:){2,8}(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{0,4})(?![\w:])|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)/gi;

/**
 * Makes a function that replaces the addresses in a text by names, the same address always by the
 * same name: 198.51.100.7 becomes ipv4-public-1. Loopback, multicast, broadcast and "all addresses"
 * stay, since they tell nothing about a machine. Prefix lengths and ports stay as well.
 */
export function makeMask(): (text: string) => string {
	const names = new Map<string, string>();
	const counts = new Map<string, number>();
	const nameOf = (address: string): string => {
		const parsed = ipaddr.parse(address);
		const range = parsed.range();
		if (['loopback', 'multicast', 'unspecified', 'broadcast'].includes(range)) {
			return address;
		}

		const key = parsed.toString();
		const scope = scopeOf(address);
		const kind = `${parsed.kind()}-${scope}`;
		const count = (counts.get(kind) ?? 0) + (names.has(key) ? 0 : 1);
		counts.set(kind, count);
		const name = names.get(key) ?? `${kind}-${count}`;
		names.set(key, name);
		return name;
	};
	return (text) =>
		text.replace(CANDIDATE, (found) => (ipaddr.isValid(found) ? nameOf(found) : found));
}

/** Masks every text within a value, in the order of its fields. */
export function maskAll<T extends Json>(value: T, mask: (text: string) => string): T {
	if (typeof value === 'string') {
		return mask(value) as T & string;
	}

	if (Array.isArray(value)) {
		return value.map((element) => maskAll(element, mask)) as T & Json[];
	}

	return typeof value === 'object' && value !== null
		? (Object.fromEntries(
				Object.entries(value).map(([key, inner]) => [key, maskAll(inner, mask)]),
			) as T)
		: value;
}
