import {contains} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import type {Interface} from '../machine/interfaces.ts';

/** How Docker names the bridge of a network that a user has made (libnetwork): by the beginning of its number. */
export const DOCKER_BRIDGE = /^br-[\da-f]{12}$/;

/** A container of this machine; every text is safe to print. */
export type Container = {
	readonly name: string;
	/** As it was asked for: `nginx:1.27`. Empty where that is not known. */
	readonly image: string;
	readonly program: 'Docker' | 'podman';
	/** Of both families, without prefix lengths. Empty while it does not run, and in the machine's own network. */
	readonly addresses: readonly string[];
	readonly networks: readonly ContainerNetwork[];
};

export type ContainerNetwork = {
	readonly name: string;
	/** The bridge of the network, where that is known. */
	readonly interface?: string;
};

/** What container programs know of this machine's containers and bridges. */
export type Containers = {
	readonly containers: readonly Container[];
	/** The network of each bridge, by the name of its interface. Also networks without a container. */
	readonly networks: ReadonlyMap<string, string>;
};

/** The value under some keys of JSON from outside; undefined where it has another shape. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
	return keys.reduce<unknown>(
		(inner, key) =>
			typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
				? (inner as Readonly<Record<string, unknown>>)[key]
				: undefined,
		value,
	);
}

/** A text of JSON from outside, safe to print; empty for anything else. */
export function textAt(value: unknown, ...keys: readonly string[]): string {
	const found = at(value, ...keys);
	return typeof found === 'string' ? printable(found) : '';
}

/** The list under some keys of JSON from outside. */
export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
	const found = at(value, ...keys);
	return Array.isArray(found) ? found : [];
}

/** The interface in whose network an address lies. */
export function interfaceTowards(
	address: string,
	interfaces: readonly Interface[],
): string | undefined {
	return interfaces.find(({addresses}) => addresses.some((cidr) => contains(cidr, address)))?.name;
}
