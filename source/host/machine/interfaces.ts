import {existsSync, readlinkSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {type ScopedAddress, scopeOf} from '../../lib/address-scope.ts';
import {printable} from '../../lib/printable.ts';
import {readText} from '../files/read-text.ts';
import {socketTables} from '../rehearsal/is-rehearsal.ts';

export type Interface = {
	readonly name: string;
	/** CIDR, as the interface has them. */
	readonly addresses: readonly string[];
	/** Who is behind it, where these are containers and guests of this machine, or hosts that it gives addresses to. */
	readonly inside?: string;
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

/** An interface whose addresses are told apart by the networks that can reach them. */
export type ScopedInterface = {
	readonly name: string;
	readonly addresses: readonly ScopedAddress[];
};

/** All interfaces that are up, loopback too, with all their addresses; safe to print. */
export function allInterfaces(): readonly ScopedInterface[] {
	return Object.entries(os.networkInterfaces()).map(([name, list = []]) => ({
		name: printable(name),
		addresses: list.map(({address, cidr}) => ({
			cidr: cidr ?? address,
			scope: scopeOf(address),
		})),
	}));
}

/**
 * The names of all interfaces, also of those that are down or have no address, each with that by which its
 * packets come in, where it is part of a bridge, a bond or a VRF; undefined where they are hidden.
 */
export function interfaceNames(): ReadonlyMap<string, string | undefined> | undefined {
	const text = readText(`${socketTables()}/dev`);
	// Two lines of headings, then a line for each interface: its name, a colon, its counters (proc(5)).
	return text === undefined
		? undefined
		: new Map(
				text
					.split('\n')
					.slice(2)
					.flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? [])
					.map((name) => [name, masterOf(name)]),
			);
}

/** The bridge, bond or VRF that an interface is part of: rules see its packets come in there (ip-link(8), "master"). */
export function masterOf(name: string): string | undefined {
	try {
		return path.basename(readlinkSync(`/sys/class/net/${name}/master`));
	} catch {
		return undefined;
	}
}

/** Whether an interface is a port of a bridge: no packet is routed from or to it, only from or to the bridge. */
export function isBridgePort(name: string): boolean {
	// As the kernel's Documentation/ABI/testing/sysfs-class-net has it.
	return existsSync(`/sys/class/net/${name}/brport`);
}

/** The interface that bears an address. */
export function interfaceOf(address: string): string | undefined {
	return interfacesOf(address)[0];
}

/** All interfaces that bear an address. Several may bear the same link-local one. */
export function interfacesOf(address: string): readonly string[] {
	return Object.entries(os.networkInterfaces())
		.filter(([, list = []]) => list.some((entry) => entry.address === address))
		.map(([name]) => bareName(name));
}

/** An old-style alias, eth0:1, is an address of eth0. */
function bareName(name: string): string {
	return name.split(':')[0] ?? name;
}
