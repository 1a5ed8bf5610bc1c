import os from 'node:os';

export type Interface = {
	readonly name: string;
	/** CIDR, as the interface has them. */
	readonly addresses: readonly string[];
};

/** The interfaces that are up and have an address, less loopback. */
export function interfacesHere(): readonly Interface[] {
	return Object.entries(os.networkInterfaces())
		.map(([name, addresses = []]) => ({
			name: bareName(name),
			addresses: addresses
				.filter((address) => !address.internal)
				.flatMap((address) => address.cidr ?? []),
		}))
		.filter(({addresses}) => addresses.length > 0);
}

/** The interface that bears an address. */
export function interfaceOf(address: string): string | undefined {
	const name = Object.entries(os.networkInterfaces()).find(([, list = []]) =>
		list.some((entry) => entry.address === address),
	)?.[0];
	return name === undefined ? undefined : bareName(name);
}

/** An old-style alias, eth0:1, is an address of eth0. */
function bareName(name: string): string {
	return name.split(':')[0] ?? name;
}
